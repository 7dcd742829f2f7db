package sagemaker

import "strings"

// Scaling is what scales variants automatically.
type Scaling interface {
	// Scales tells whether a variant is a scalable target.
	Scales(endpoint, variant string) bool
	// Forget ends the scaling of a deleted endpoint's variants.
	Forget(endpoint string)
}

// keepScaled refuses a deployment without a variant that is scaled now, or with one
// of another instance type, as "Update endpoints that use automatic scaling" of the
// developer guide says.
func (s *Service) keepScaled(r *endpointRecord, target *deployment) error {
	if s.cfg.Scaling == nil {
		return nil
	}
	types := map[string]string{}
	for _, v := range target.Variants {
		types[v.Name] = v.InstanceType
	}
	var lost []string
	for _, v := range r.Deployed.Variants {
		if types[v.Name] != v.InstanceType && s.cfg.Scaling.Scales(r.Name, v.Name) {
			lost = append(lost, v.Name)
		}
	}
	if len(lost) > 0 {
		return invalid("The variant(s) \"[%s]\" must be deregistered as scalable targets with AWS Auto Scaling before they can be removed or have their instance type updated.", strings.Join(lost, ", "))
	}
	return nil
}
