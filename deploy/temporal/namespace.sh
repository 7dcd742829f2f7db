#!/bin/sh
# Makes the namespace unless it is there. Where the server is, TEMPORAL_ADDRESS says.
set -eu

temporal operator namespace describe --namespace default > /dev/null 2>&1 ||
	temporal operator namespace create --namespace default --retention 720h
