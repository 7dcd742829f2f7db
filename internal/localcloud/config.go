package localcloud

import (
	"cmp"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"time"

	"steward/internal/localcloud/events"
	"steward/internal/localcloud/faults"
	"steward/internal/localcloud/sagemaker"
)

// Config says where the cloud keeps its state, where it listens and whom it
// knows.
type Config struct {
	// Dir holds everything; one process at a time may have it open.
	Dir string
	// Listener is where to serve; without one, New listens on Addr, such as
	// "127.0.0.1:4566".
	Listener net.Listener
	Addr     string
	// Region and Account are those of every resource name; us-east-1 and
	// 000000000000 if empty.
	Region, Account string
	// AccessKey and SecretKey are the only accepted credentials.
	AccessKey, SecretKey string
	// Images says which command plays a container image.
	Images []sagemaker.Image
	// Isolation says whether containers get namespaces; IsolationAuto if empty.
	Isolation sagemaker.Isolation
	// Rules say where events of SageMaker go.
	Rules []events.Rule
	// RemoteReceivers lets SNS post to endpoints beyond this machine.
	RemoteReceivers bool
	// Faults are what goes wrong from the start; a plan without rules is none.
	Faults faults.Plan
	// Now is the clock of signatures and credentials; time.Now if nil.
	Now func() time.Time
	// Logger takes what no client can be told; slog.Default() if nil.
	Logger *slog.Logger
}

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

func (c Config) withDefaults() (Config, error) {
	c.Region = cmp.Or(c.Region, "us-east-1")
	c.Account = cmp.Or(c.Account, "000000000000")
	c.Logger = cmp.Or(c.Logger, slog.Default())
	switch {
	case c.Dir == "":
		return c, fmt.Errorf("local cloud: no directory is given: name the one to keep its state in")
	case c.AccessKey == "" || c.SecretKey == "":
		return c, fmt.Errorf("local cloud: access key and secret key must both be given: requests are signed with them")
	case c.Listener == nil && c.Addr == "":
		return c, fmt.Errorf("local cloud: no address is given: name one such as 127.0.0.1:4566")
	case !accountID.MatchString(c.Account):
		return c, fmt.Errorf("local cloud: account %q is not 12 digits", c.Account)
	}
	return c, nil
}
