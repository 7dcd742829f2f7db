// Package workflows holds the durable processes of a model's life, one file
// each: Model, Release, Rollout, Watch. A workflow observes through activities,
// decides through package policy and acts through activities again. Code here
// is deterministic; all that a workflow remembers is one state struct, which is
// also what its `state` query answers.
package workflows
