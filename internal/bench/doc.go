// Command bench measures what Steward costs beside the bare thing that it is
// built on, and prints one line a case:
//
//	bench: <name> ours=<number><unit> peer=<number><unit> ratio=<ours/peer> goal<=<number>
//
// What belongs here is the cases, and stand-ins for what a case leaves out.
// Ours and the peer run in turns on the same server, so that whatever else the
// machine does falls on both; figures are medians. A goal that was missed is
// printed, not an error: only a case that could not run is one.
//
// Cases:
//
//   - release: a release with its rollout, whose activities all answer at once
//     and whose approval comes as soon as it is asked for, beside a bare
//     workflow that runs as many activities, one after another and side by side
//     just as the release did, waits for one update and has one child.
//   - alert: the 99th percentile of posting an Alertmanager message to the
//     gateway until it is durable, beside a bare signal-with-start.
//   - idle: the memory of `steward dev` in all its processes while nothing
//     happens, beside 500 MB.
//   - start: the time until a second `steward dev` in the same directory is
//     ready, beside 5 s.
package main
