// Package activities is where workflows touch the world: one struct per
// concern, its dependencies in exported fields. Activities are idempotent by
// deterministic names, heartbeat while they wait, honour cancellation and
// remove what they made when they are cancelled. They know AWS only, through
// internal/cloud.
package activities
