package lifecycle

import "go.temporal.io/sdk/temporal"

// Search attributes, by which the Temporal UI and the gateway find runs.
var (
	AttrModel    = temporal.NewSearchAttributeKeyKeyword("StewardModel")
	AttrStage    = temporal.NewSearchAttributeKeyKeyword("StewardStage")
	AttrRelease  = temporal.NewSearchAttributeKeyInt64("StewardRelease")
	AttrHealth   = temporal.NewSearchAttributeKeyKeyword("StewardHealth")
	AttrOwner    = temporal.NewSearchAttributeKeyKeyword("StewardOwner")
	AttrAwaiting = temporal.NewSearchAttributeKeyKeyword("StewardAwaiting")
)
