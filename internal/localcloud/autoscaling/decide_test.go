package autoscaling

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// tracking is a policy with a target of 100 and cooldowns of one and two minutes.
func tracking(name string, edit ...func(*policy)) *policy {
	p := &policy{Name: name, High: name + "-high", Low: name + "-low", Tracking: types.TargetTrackingScalingPolicyConfiguration{
		TargetValue: aws.Float64(100), ScaleOutCooldown: aws.Int32(60), ScaleInCooldown: aws.Int32(120)}}
	for _, e := range edit {
		e(p)
	}
	return p
}

func never(p *policy)    { p.Tracking.DisableScaleIn = aws.Bool(true) }
func defaults(p *policy) { p.Tracking.ScaleOutCooldown, p.Tracking.ScaleInCooldown = nil, nil }

func high(value float64, edit ...func(*policy)) *vote {
	return &vote{policy: tracking("p", edit...), high: true, value: value, known: true}
}

func low(value float64, edit ...func(*policy)) *vote {
	return &vote{policy: tracking("p", edit...), low: true, value: value, known: true}
}

func TestWant(t *testing.T) {
	for _, tt := range []struct {
		capacity      int32
		value, target float64
		want          int32
	}{
		{1, 101, 100, 2},
		{1, 100, 100, 1},
		{3, 250, 100, 8},
		{4, 75, 100, 3},
		{4, 76, 100, 4},
		{4, 0, 100, 0},
		{3, 0.7, 0.7, 3},
		{10, 0.3, 0.1, 30}, // 3 times as much, to the last bit but one
		{1000, 1e300, 1e-3, 1<<31 - 1},
	} {
		v := vote{policy: tracking("p", func(p *policy) { p.Tracking.TargetValue = &tt.target }), value: tt.value}
		require.Equal(t, tt.want, v.want(tt.capacity), "%+v", tt)
	}
}

func TestDecide(t *testing.T) {
	idle := &vote{policy: tracking("idle")}
	silent := &vote{policy: tracking("p"), high: true, low: true}
	out := func(ago time.Duration, from, to int32) change { return change{At: noon.Add(-ago), From: from, To: to} }
	for name, tt := range map[string]struct {
		current int32
		target  target
		votes   []*vote
		to      int32  // 0 for nothing
		reason  string // why not
	}{
		"nothing asked":                            {current: 2, votes: []*vote{idle}},
		"no policy":                                {current: 2},
		"out":                                      {current: 2, votes: []*vote{high(150)}, to: 3},
		"alarm without a measurement":              {current: 2, votes: []*vote{silent}},
		"alarm that has calmed down":               {current: 2, votes: []*vote{high(90)}},
		"out, up to the maximum":                   {current: 2, votes: []*vote{high(900)}, to: 5},
		"out at the maximum":                       {current: 5, votes: []*vote{high(150)}, to: 8, reason: "AlreadyAtMaxCapacity"},
		"out above the maximum":                    {current: 6, votes: []*vote{high(150)}, to: 9, reason: "AlreadyAtMaxCapacity"},
		"out is suspended":                         {current: 2, votes: []*vote{high(150)}, target: target{Suspend: types.SuspendedState{DynamicScalingOutSuspended: aws.Bool(true)}}},
		"in":                                       {current: 4, votes: []*vote{low(60)}, to: 3},
		"in, down to the minimum":                  {current: 5, votes: []*vote{low(1)}, to: 2},
		"in at the minimum":                        {current: 2, votes: []*vote{low(1)}, to: 1, reason: "AlreadyAtMinCapacity"},
		"in, less than an instance":                {current: 4, votes: []*vote{low(80)}},
		"in is disabled":                           {current: 4, votes: []*vote{low(1, never)}},
		"in is suspended":                          {current: 4, votes: []*vote{low(1)}, target: target{Suspend: types.SuspendedState{DynamicScalingInSuspended: aws.Bool(true)}}},
		"largest of two out":                       {current: 2, votes: []*vote{high(120), high(200)}, to: 4},
		"out before in":                            {current: 2, votes: []*vote{low(1), high(150)}, to: 3},
		"in, but not all":                          {current: 4, votes: []*vote{low(10), idle}},
		"in, all that may":                         {current: 4, votes: []*vote{low(10), {policy: tracking("never", never)}}, to: 2},
		"largest of two in":                        {current: 5, votes: []*vote{low(50), low(70)}, to: 4},
		"in, but one has no measurement":           {current: 4, votes: []*vote{low(10), silent}},
		"out in the cooldown":                      {current: 2, target: target{Changed: out(59*time.Second, 1, 2)}, votes: []*vote{high(150)}},
		"larger out in the cooldown":               {current: 2, target: target{Changed: out(59*time.Second, 1, 2)}, votes: []*vote{high(350)}, to: 4},
		"out after the cooldown":                   {current: 2, target: target{Changed: out(60*time.Second, 1, 2)}, votes: []*vote{high(150)}, to: 3},
		"in in the cooldown":                       {current: 4, target: target{Changed: out(119*time.Second, 5, 4)}, votes: []*vote{low(50)}},
		"in after the cooldown":                    {current: 4, target: target{Changed: out(120*time.Second, 5, 4)}, votes: []*vote{low(50)}, to: 2},
		"out in the cooldown of in":                {current: 4, target: target{Changed: out(time.Second, 5, 4)}, votes: []*vote{high(110)}, to: 5},
		"in in the cooldown of out":                {current: 4, target: target{Changed: out(time.Second, 3, 4)}, votes: []*vote{low(50)}, to: 2},
		"default cooldown":                         {current: 2, target: target{Changed: out(299*time.Second, 1, 2)}, votes: []*vote{high(150, defaults)}},
		"after the default cooldown":               {current: 2, target: target{Changed: out(300*time.Second, 1, 2)}, votes: []*vote{high(150, defaults)}, to: 3},
		"below the new minimum":                    {current: 1, target: target{Adjust: true}, to: 2},
		"above the new maximum":                    {current: 9, target: target{Adjust: true}, votes: []*vote{high(150)}, to: 5},
		"within the new bounds":                    {current: 3, target: target{Adjust: true}},
		"new bounds count while all is suspended":  {current: 9, target: target{Adjust: true, Suspend: types.SuspendedState{DynamicScalingInSuspended: aws.Bool(true)}}, to: 5},
		"outside of bounds that were not set anew": {current: 9},
	} {
		t.Run(name, func(t *testing.T) {
			tt.target.Min, tt.target.Max = 2, 5
			d, ok := situation{now: noon, current: tt.current, target: &tt.target, votes: tt.votes}.decide()
			require.Equal(t, tt.to != 0, ok)
			if ok {
				require.Equal(t, tt.to, d.to)
				require.NotEmpty(t, d.cause)
			}
			reason := ""
			if d.reason != nil {
				reason = *d.reason.Code
			}
			require.Equal(t, tt.reason, reason)
		})
	}
}

func TestCauses(t *testing.T) {
	bounds := &target{Min: 2, Max: 5, Adjust: true}
	for want, s := range map[string]situation{
		"monitor alarm p-high in state ALARM triggered policy p": {current: 3, target: &target{Min: 2, Max: 5}, votes: []*vote{high(150)}},
		"monitor alarm p-low in state ALARM triggered policy p":  {current: 3, target: &target{Min: 2, Max: 5}, votes: []*vote{low(10)}},
		"minimum capacity was set to 2":                          {current: 1, target: bounds},
		"maximum capacity was set to 5":                          {current: 6, target: bounds},
	} {
		d, ok := s.decide()
		require.True(t, ok)
		require.Equal(t, want, d.cause)
	}
}
