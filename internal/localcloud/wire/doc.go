// Package wire speaks the AWS wire protocols on the server's side: awsJson 1.1,
// rpcv2Cbor, awsQuery and the frame of the REST protocols, over the SDK's own
// input and output types, behind Signature Version 4.
//
// What belongs here is what every AWS service shares: decoding a request into
// an SDK input, encoding an SDK output or an [Error], verifying who signed the
// request, and choosing the service by the name in that signature. What an
// operation means belongs to the service.
package wire
