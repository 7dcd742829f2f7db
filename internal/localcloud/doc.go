// Package localcloud is an AWS-compatible cloud in one process: S3, SageMaker
// with its runtime, CloudWatch, SNS and the caller's identity of STS, on one
// port, over the real wire protocols and with signatures verified.
//
// What belongs here is the assembly: one directory, one listener, one pair of
// keys, and the routing by the service that a request's signature names. What a
// service does belongs to its subpackage. It imports nothing else of Steward, so
// that it stays an independent implementation of public contracts.
package localcloud
