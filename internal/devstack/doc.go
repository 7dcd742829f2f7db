// Package devstack runs all of Steward on one machine: a Temporal server as a
// child process, the local cloud, a worker and the gateway, with everything
// they keep in one directory. What belongs here is the home directory, the
// order of starting and stopping, and the addresses; what a part does belongs
// to the part.
package devstack
