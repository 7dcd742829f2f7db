// Package gateway serves people and machines over HTTP: the JSON API, the
// alert webhooks, metrics, and the console in the browser. It authenticates
// them, signs what people decide, and hands everything to the workflows by
// Updates, Signals and Queries; it keeps no state of its own. It is the only
// package that imports echo.
package gateway
