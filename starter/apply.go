package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"steward/internal/spec"
)

func (a *app) apply() *cobra.Command {
	return &cobra.Command{
		Use: "apply FILE", Short: "Declare a model, or change its declaration, by its file",
		Long: `Apply reads a model file and hands it to the gateway, which starts to keep the
model alive or takes over the change. Every mistake in the file is named, with
its line. Applying the same file again changes nothing. "-" reads standard input.

Source folders of scripts are packed and uploaded to STEWARD_BUCKET, under the
digest of their content. AWS is where the SDK's variables say; if --home is given or
AWS_ENDPOINT_URL is not set, and the home directory has an embedded stack, it is
that one's local cloud.`,
		Example: "  steward apply examples/flight-delay/model.yaml --as ana",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readFile(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			// The gateway checks as well; here the problems name the file.
			file, err := spec.Load(args[0], text)
			if err != nil {
				return usageError{err}
			}
			c, err := a.client()
			if err != nil {
				return err
			}
			if text, err = a.uploadSources(cmd.Context(), filepath.Dir(args[0]), file, text); err != nil {
				return err
			}
			applied, err := c.Apply(cmd.Context(), text)
			if err != nil {
				return err
			}
			return a.print(applied, func(w io.Writer) {
				what := "is as it was"
				if applied.Created {
					what = "is declared; start its first release with `steward release " + file.Metadata.Name + "`"
				} else if applied.Changed {
					what = "was changed"
				}
				fmt.Fprintf(w, "model %s %s (%s)\n", file.Metadata.Name, what, applied.Digest)
			})
		},
	}
}

func readFile(stdin io.Reader, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(name)
}

func (a *app) schema() *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of the model file, for editors",
		Example: "  steward schema > model.schema.json",
		Args:    args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			_, err := a.out.Write(spec.Schema())
			return err
		},
	}
}
