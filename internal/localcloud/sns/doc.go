// Package sns is the local cloud's SNS: topics, their HTTP subscriptions, and signed
// messages that are stored before they are acknowledged and delivered until they
// arrive or are given up.
//
// Topics, subscriptions and messages under way are records in one bbolt file. A
// message is put in the form that its subscription asks for at each attempt, so that
// its addresses are right after the cloud has moved to another port. Messages are
// signed by a key of our own; whoever verifies them fetches the certificate from
// here, at the address in the message.
package sns
