// Package autoscaling is the local cloud's Application Auto Scaling: scalable
// targets, target tracking policies and scaling activities, for variants of
// SageMaker endpoints.
//
// What belongs here: when a variant gets how many instances, and why. The alarms of
// a policy are CloudWatch's (package cloudwatch), which judges the metric; instances
// come and go by SageMaker's UpdateEndpointWeightsAndCapacities (package sagemaker).
// Targets, policies and activities are JSON records in one bbolt file, committed
// before the reply; an activity is committed before it acts, so that what a crash
// interrupts goes on with the next start.
package autoscaling
