package sagemaker

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sagemaker/types"

	"steward/internal/localcloud/wire"
)

// soleGroup is the group of a cluster that was not divided into groups.
const soleGroup = "homogeneousCluster"

// maxHosts is the most instances of one job: AWS's default quota of instances
// across training jobs, and across processing jobs.
const maxHosts = 20

// hostsPlace is where names of hosts are looked up (hosts(5)).
const hostsPlace = "/etc/hosts"

// host is one instance of a job: what its container knows of it, and where it
// lives.
type host struct {
	name, group, kind string
	run, ml, tmp      string // folders: the supervisor's, what plays /opt/ml, scratch
	log               journal
}

// cluster are the hosts of a job, algo-1 first.
type cluster []host

func (c cluster) names() []string {
	names := make([]string, len(c))
	for i, h := range c {
		names[i] = h.name
	}
	return names
}

// hostsFile is what the host's container finds at /etc/hosts, where it can have one
// of its own: beside what it finds at /opt/ml.
func (h host) hostsFile() string { return filepath.Join(filepath.Dir(h.ml), "hosts") }

// writeHosts adds the cluster's names to those that this machine knows. A machine
// that has no such file needs none.
func (c cluster) writeHosts(h host) error {
	known, err := os.ReadFile(hostsPlace)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(h.hostsFile(), fmt.Appendf(known, "\n127.0.0.1 %s\n", strings.Join(c.names(), " ")), 0o644)
}

// of gives the hosts of some groups; without groups, all.
func (c cluster) of(groups []string) cluster {
	if len(groups) == 0 {
		return c
	}
	return slices.DeleteFunc(slices.Clone(c), func(h host) bool { return !slices.Contains(groups, h.group) })
}

// below gives a folder of /opt/ml on every host.
func (c cluster) below(elem ...string) []string {
	dirs := make([]string, len(c))
	for i, h := range c {
		dirs[i] = filepath.Join(append([]string{h.ml}, elem...)...)
	}
	return dirs
}

func (c cluster) runs() []string {
	dirs := make([]string, len(c))
	for i, h := range c {
		dirs[i] = h.run
	}
	return dirs
}

// files are the hosts' log files.
func (s *Service) files(c cluster) []string {
	files := make([]string, len(c))
	for i, h := range c {
		files[i] = s.file(h.log)
	}
	return files
}

// hosts makes a cluster of groups of instances. Its folders are below root and
// its logs in a group, named after the job and the epoch.
func hosts(groups []types.InstanceGroup, root, logs, job string, epoch int64) cluster {
	var c cluster
	for _, g := range groups {
		for range aws.ToInt32(g.InstanceCount) {
			name := fmt.Sprintf("algo-%d", len(c)+1)
			dir := filepath.Join(root, name)
			c = append(c, host{name: name, group: *g.InstanceGroupName, kind: string(g.InstanceType),
				run: filepath.Join(dir, "run"), ml: filepath.Join(dir, "ml"), tmp: filepath.Join(dir, "tmp"),
				log: journal{logs, fmt.Sprintf("%s/%s-%d", job, name, epoch)}})
		}
	}
	return c
}

// nextEpoch names the logs of a run that begins: its second since 1970, later
// than that of the run before.
func nextEpoch(last int64) int64 { return max(time.Now().Unix(), last+1) }

// groupsOf gives a training job's groups of instances.
func groupsOf(r *types.ResourceConfig) []types.InstanceGroup {
	if len(r.InstanceGroups) > 0 {
		return r.InstanceGroups
	}
	return []types.InstanceGroup{{InstanceGroupName: aws.String(soleGroup), InstanceType: r.InstanceType, InstanceCount: r.InstanceCount}}
}

// countHosts gives the number of a training job's instances.
func countHosts(r *types.ResourceConfig) (n int) {
	for _, g := range groupsOf(r) {
		n += int(aws.ToInt32(g.InstanceCount))
	}
	return n
}

func checkResources(r *types.ResourceConfig) error {
	if err := only("ResourceConfig.", r, "InstanceType", "InstanceCount", "InstanceGroups", "VolumeSizeInGB", "VolumeKmsKeyId"); err != nil {
		return err
	}
	if len(r.InstanceGroups) > 0 && (r.InstanceCount != nil || r.InstanceType != "") {
		return invalid("ResourceConfig.InstanceGroups and InstanceType or InstanceCount are both given: give the groups, or the type and the count")
	}
	seen := map[string]bool{}
	for _, g := range groupsOf(r) {
		name := aws.ToString(g.InstanceGroupName)
		if g.InstanceCount == nil || g.InstanceType == "" || name == "" {
			return invalid("ResourceConfig: InstanceType and InstanceCount must be given, and a name for each of InstanceGroups")
		}
		if err := checkRange("resourceConfig.instanceCount", g.InstanceCount, 1, 1<<30); err != nil {
			return err
		}
		if seen[name] {
			return invalid("ResourceConfig.InstanceGroups: the name %q is there twice", name)
		}
		seen[name] = true
	}
	return checkHosts("training", countHosts(r))
}

// checkHosts refuses what is above the quota of instances for jobs of a kind.
func checkHosts(kind string, n int) error {
	if n <= maxHosts {
		return nil
	}
	return wire.Errorf("ResourceLimitExceeded", "The account-level service limit 'Number of instances across %s jobs' is %d Instances, with current utilization of 0 Instances and a request delta of %d Instances. Please use AWS Service Quotas to request an increase for this quota.", kind, maxHosts, n)
}

// resourceConfig is resourceconfig.json as one host has it.
type resourceConfig struct {
	CurrentHost         string          `json:"current_host"`
	CurrentInstanceType string          `json:"current_instance_type"`
	CurrentGroupName    string          `json:"current_group_name"`
	Hosts               []string        `json:"hosts"`
	InstanceGroups      []instanceGroup `json:"instance_groups"`
	NetworkInterface    string          `json:"network_interface_name"`
}

type instanceGroup struct {
	Name  string   `json:"instance_group_name"`
	Type  string   `json:"instance_type"`
	Hosts []string `json:"hosts"`
}

func (c cluster) resourceConfig(h host) resourceConfig {
	var groups []instanceGroup
	for _, other := range c {
		if n := len(groups); n == 0 || groups[n-1].Name != other.group {
			groups = append(groups, instanceGroup{Name: other.group, Type: other.kind})
		}
		g := &groups[len(groups)-1]
		g.Hosts = append(g.Hosts, other.name)
	}
	return resourceConfig{CurrentHost: h.name, CurrentInstanceType: h.kind, CurrentGroupName: h.group,
		Hosts: c.names(), InstanceGroups: groups, NetworkInterface: "lo"}
}
