package spec

import (
	"fmt"
	"slices"
	"strings"

	"steward/internal/lifecycle"
)

// builtIn begins the names of the images that come with Steward.
const builtIn = "steward/"

func (c *checker) script(field string, cand lifecycle.Candidate) {
	s := cand.Script
	if s == nil {
		return
	}
	field += ".script"
	if strings.HasPrefix(cand.Image, builtIn) {
		c.add(field, "", "image %s runs no scripts: name one that has SageMaker's script mode, or take the script out", cand.Image)
	}
	if s.Remote() && (!strings.HasSuffix(s.Source, ".tar.gz") || strings.Count(s.Source, "/") < 3) {
		c.add(field+".source", s.Source, "it must be a folder, or the S3 address of an archive such as s3://bucket/source.tar.gz")
	}
	if !s.Remote() && strings.Contains(s.Source, "://") {
		c.add(field+".source", s.Source, "only folders and S3 addresses are known")
	}
	for name, program := range map[string]string{"entryPoint": s.EntryPoint, "inference": s.Inference} {
		if slices.Contains(strings.Split(program, "/"), "..") {
			c.add(field+"."+name, program, "the program must lie inside the source")
		}
	}
	for name := range cand.Hyperparameters {
		if strings.HasPrefix(name, "sagemaker_") {
			c.add(fmt.Sprintf("%s.hyperparameters.%s", strings.TrimSuffix(field, ".script"), name), "", "script mode sets hyperparameters of this prefix itself: take it out")
		}
	}
}

// folders refuses sources that have not been uploaded.
func folders(f lifecycle.ModelFile) (found []Problem) {
	for i, cand := range f.Spec.Training.Candidates {
		if cand.Script != nil && !cand.Script.Remote() {
			found = append(found, Problem{Field: fmt.Sprintf("spec.training.candidates[%d].script.source", i), Value: cand.Script.Source,
				Message: "the gateway cannot see this folder: apply the file with steward apply, which uploads it"})
		}
	}
	return found
}
