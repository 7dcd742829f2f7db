// Command generate writes the model file's JSON Schema, made from the Go types,
// to the file named by its argument.
package main

import (
	"log"
	"os"

	"steward/internal/spec"
)

func main() {
	b, err := spec.GenerateSchema()
	if err == nil {
		err = os.WriteFile(os.Args[1], b, 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}
