// Command bench measures what Steward costs beside the bare thing that it is
// built on, and prints one line a case:
//
//	bench: <name> ours=<number><unit> peer=<number><unit> ratio=<ours/peer> goal<=<number>
//
// or goal>=. A case with several figures prints a line for each, and one more,
// <name>-floor, for a figure that must not be less than a number that stands in
// the place of the peer.
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
//
// The cases of the local cloud run a `steward cloud`. Eight clients ask, each
// again as soon as it was answered; their requests are signed beforehand where
// that can be, for what a client costs is not ours. A bare server is net/http
// without signatures, parsing and state, in a process of its own.
//
//   - put: durable new objects of 1 KiB a second, beside a bare server that stores
//     each in a synced file; 1,000 at least.
//   - get: such objects read a second, beside a bare server that answers the same
//     bytes; 3,000 at least.
//   - large: an object of 200 MB through the SDK. Up is in parts of 8 MiB, four at
//     a time, beside a file written and synced, 150 MB/s at least; down is beside
//     a bare server that sends the file, 300 MB/s at least; memory is the most
//     that the cloud had, beside 100 MB.
//   - invoke: requests of one row through an endpoint that captures everything,
//     beside the same model's server asked directly: answers a second, and the
//     99th percentile; and beside that server behind a bare reverse proxy, since
//     it answers one row in less time than any hop takes. batch is the same for
//     requests of 100 rows.
//   - describe: DescribeTrainingJob a second, beside a bare server that answers the
//     same bytes; 2,000 at least.
//   - list: 10,000 stored jobs listed by pages of 100: the cloud's own memory and
//     the time of a page, beside those for 1,000 jobs.
//
// The cases of tables are made by a small program of their own (folder tables),
// whose CPU seconds and memory count from its start to its end.
//
//   - profile-csv, profile-parquet: a full profile of 10 million rows of 10
//     columns: CPU seconds, beside 8; memory, beside 100 MB; and the rows in a CPU
//     second, beside those of DuckDB, which on two threads, in one query, takes of
//     every column the count, the missing and the number of different values, of
//     numbers and times the extremes and nine quantiles, of numbers mean and
//     deviation, of texts the lengths and the 100 most frequent; the time to start
//     it is not counted.
//   - drift: two such tables of Parquet compared, from the files to the measures:
//     the rows in a CPU second, and the memory, beside Evidently's DataDriftPreset,
//     which has a million rows of each. Its start is not counted.
//   - metrics: every metric of a binary model over a million scored rows, with
//     intervals from 200 bootstrap replicates: CPU seconds, beside 2, and beside
//     scikit-learn's for the same metrics. It has 4 replicates, whose time is
//     scaled to 200; its start is not counted.
package main
