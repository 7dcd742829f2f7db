// Package server finds, builds, starts and stops the Temporal server of one
// machine: the `temporal` command where there is one, else the server in
// internal/devserver, which is built once and kept in the user's cache.
package server
