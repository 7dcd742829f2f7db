package sagemaker

import "fmt"

// modelDataError is model data that no server could be started with, in AWS's
// words and with the reason, which AWS keeps to itself.
type modelDataError struct {
	sentence string
	err      error
}

func (e *modelDataError) Error() string { return e.sentence + " (" + e.err.Error() + ")" }
func (e *modelDataError) Unwrap() error { return e.err }

func notDownloaded(from location, err error) error {
	return &modelDataError{fmt.Sprintf(`Failed to download model data for container "container_1" from URL: %q. Please ensure that there is an object located at the URL and that the role passed to CreateModel has permissions to download the object.`, from), err}
}

func notExtracted(from location, err error) error {
	return &modelDataError{fmt.Sprintf(`Failed to extract model data archive for container "container_1" from URL %q. Please ensure that the object located at the URL is a valid tar.gz archive.`, from), err}
}
