// Package auth says who a person is: the users file with the digests of their
// tokens, and the signed cookies of console sessions. What a person may do is
// for the gateway and the workflows to say.
package auth
