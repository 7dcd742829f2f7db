// Package lifecycle is the contract between the worker, the gateway and the
// command: the model file's types, the workflows' inputs and states, every
// message name, workflow id and error type that crosses a process boundary.
// It holds data and pure functions only, and imports nothing of ours.
package lifecycle
