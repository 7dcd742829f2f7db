package lifecycle

import "strings"

// APIVersion and Kind are what a model file of this version starts with.
const (
	APIVersion = "steward/v1"
	Kind       = "Model"
)

// Role is a part that a person plays for a model.
type Role string

// Roles that a model file may name.
const (
	DataEngineer   Role = "data-engineer"
	DataScientist  Role = "data-scientist"
	Operator       Role = "operator"
	ProductManager Role = "product-manager"
	Auditor        Role = "auditor"
)

// Task is what kind of answer a model gives.
type Task string

// Tasks that the built-in images and the metrics know.
const (
	Binary     Task = "binary"
	Regression Task = "regression"
)

// ModelFile is one model as its team declares it.
type ModelFile struct {
	APIVersion string   `json:"apiVersion" jsonschema:"enum=steward/v1" jsonschema_description:"version of this file's format"`
	Kind       string   `json:"kind" jsonschema:"enum=Model"`
	Metadata   Metadata `json:"metadata"`
	Spec       Spec     `json:"spec"`
}

// Metadata says whose model it is. Name is at most 30 characters, because
// cloud resource names are made from it.
type Metadata struct {
	Name   string          `json:"name" jsonschema:"pattern=^[a-z][a-z0-9]*(-[a-z0-9]+)*$,maxLength=30" jsonschema_description:"lower-case letters, digits and single hyphens"`
	Team   string          `json:"team" jsonschema:"minLength=1"`
	Owners map[Role]string `json:"owners" jsonschema:"minProperties=1" jsonschema_description:"role to contact address"`
}

// Spec is everything Steward needs to keep the model alive.
type Spec struct {
	Objective Objective `json:"objective"`
	Data      Data      `json:"data"`
	Training  Training  `json:"training"`
	Gates     []Gate    `json:"gates" jsonschema:"minItems=1" jsonschema_description:"conditions that a release must meet before anybody is asked"`
	Approval  Approval  `json:"approval"`
	Rollout   Rollout   `json:"rollout"`
	Watch     Watch     `json:"watch"`
	Retrain   Retrain   `json:"retrain,omitempty"`
	Notify    Notify    `json:"notify,omitempty"`
}

// Objective is the product manager's part.
type Objective struct {
	Statement string `json:"statement" jsonschema:"minLength=1" jsonschema_description:"what the model is for, in one sentence"`
	KPI       *KPI   `json:"kpi,omitempty"`
	Risk      string `json:"risk" jsonschema:"enum=minimal,enum=limited,enum=high"`
}

// KPI is the business figure that the model serves, reported from outside.
type KPI struct {
	Name string   `json:"name" jsonschema:"minLength=1"`
	Min  *float64 `json:"min,omitempty"`
	Max  *float64 `json:"max,omitempty"`
}

// Data says what a release is built from. Several sources are read one after
// the other, as one table of the columns that all of them have.
type Data struct {
	Sources     []Source          `json:"sources" jsonschema:"minItems=1,maxItems=20"`
	Task        Task              `json:"task,omitempty" jsonschema:"enum=binary,enum=regression,default=binary"`
	Label       string            `json:"label" jsonschema:"minLength=1"`
	Time        string            `json:"time" jsonschema:"minLength=1" jsonschema_description:"column with the time of the event"`
	ID          string            `json:"id" jsonschema:"minLength=1" jsonschema_description:"column that names a row; predictions carry it as inference id"`
	Features    []string          `json:"features" jsonschema:"minItems=1,uniqueItems=true"`
	Categorical []string          `json:"categorical,omitempty" jsonschema:"uniqueItems=true" jsonschema_description:"features that are categories although they look like numbers"`
	Types       map[string]string `json:"types,omitempty" jsonschema_description:"column to type: number, integer, string, time, bool, epochSeconds or epochMillis; others are inferred"`
	Last        Duration          `json:"last,omitempty" jsonschema_description:"use only rows of this long before the newest; all rows when absent"`
	Serving     []string          `json:"serving,omitempty" jsonschema:"uniqueItems=true" jsonschema_description:"columns that callers have when they ask; every feature must be one"`
	Constraints *Constraints      `json:"constraints,omitempty" jsonschema_description:"checks that SageMaker Model Monitor has suggested"`
	Checks      []Check           `json:"checks,omitempty"`
	Guards      []Guard           `json:"guards,omitempty"`
	Split       Split             `json:"split"`
	GroundTruth GroundTruth       `json:"groundTruth"`
	Profile     *Profiling        `json:"profile,omitempty" jsonschema_description:"profile the training part by a processing job; in the worker when absent"`
}

// Profiling is a processing job that profiles the training part, its files
// shared out among Count instances.
type Profiling struct {
	Image    string `json:"image,omitempty" jsonschema:"minLength=1,default=steward/profile"`
	Instance string `json:"instance" jsonschema:"pattern=^ml\\.[a-z0-9]+\\.[a-z0-9]+$"`
	Count    int32  `json:"count,omitempty" jsonschema:"minimum=1,maximum=100,default=1"`
}

// Check is a condition on the data: the conditions of a column, or one of
// Columns, Required, Rows and Expression.
type Check struct {
	Column     string     `json:"column,omitempty"`
	Type       string     `json:"type,omitempty" jsonschema:"enum=number,enum=integer,enum=string,enum=time,enum=bool"`
	Min        *float64   `json:"min,omitempty"`
	Max        *float64   `json:"max,omitempty"`
	Earliest   string     `json:"earliest,omitempty" jsonschema:"pattern=^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}:\\d{2}(Z|[+-]\\d{2}:\\d{2}))?$"`
	Latest     string     `json:"latest,omitempty" jsonschema:"pattern=^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}:\\d{2}(Z|[+-]\\d{2}:\\d{2}))?$"`
	MaxAge     Duration   `json:"maxAge,omitempty" jsonschema_description:"the newest time is at most this long before the release's check"`
	MaxMissing *float64   `json:"maxMissing,omitempty" jsonschema:"minimum=0,maximum=1" jsonschema_description:"largest share of missing values"`
	In         []string   `json:"in,omitempty"`
	Refers     *Reference `json:"refers,omitempty" jsonschema_description:"every value occurs in a column of another table"`
	Pattern    string     `json:"pattern,omitempty" jsonschema:"format=regex"`
	Unique     bool       `json:"unique,omitempty"`
	Columns    []string   `json:"columns,omitempty" jsonschema:"minItems=2,uniqueItems=true" jsonschema_description:"with unique: no combination of their values occurs twice"`
	Required   []string   `json:"required,omitempty" jsonschema:"minItems=1,uniqueItems=true" jsonschema_description:"columns that the data must have"`
	Rows       *Range     `json:"rows,omitempty"`
	Expression string     `json:"expression,omitempty" jsonschema:"minLength=1,maxLength=4096" jsonschema_description:"CEL; true for every row, such as arrived_at >= departed_at"`
	Tolerate   float64    `json:"tolerate,omitempty" jsonschema:"minimum=0,exclusiveMaximum=1" jsonschema_description:"share of the values that may break the condition"`
	Severity   string     `json:"severity,omitempty" jsonschema:"enum=stop,enum=warn,default=stop"`
}

// Constraints is a constraints.json of SageMaker Model Monitor, held as checks.
type Constraints struct {
	URI      string `json:"uri" jsonschema:"pattern=^s3://[a-z0-9][a-z0-9.-]+/.+$"`
	Severity string `json:"severity,omitempty" jsonschema:"enum=stop,enum=warn,default=stop"`
}

// Reference is a column of another table.
type Reference struct {
	URI    string `json:"uri" jsonschema:"pattern=^s3://[a-z0-9][a-z0-9.-]+(/.*)?$"`
	Column string `json:"column" jsonschema:"minLength=1"`
	Format string `json:"format,omitempty" jsonschema:"enum=parquet,enum=csv,enum=jsonl"`
}

// Range bounds a count; both ends belong to it.
type Range struct {
	Min *int64 `json:"min,omitempty"`
	Max *int64 `json:"max,omitempty"`
}

// Guard lowers one of the checks that every release makes to a warning.
type Guard struct {
	Name     string `json:"name" jsonschema:"enum=label-leakage,enum=future-times,enum=overlap,enum=duplicates"`
	Severity string `json:"severity" jsonschema:"enum=warn"`
	Reason   string `json:"reason" jsonschema:"minLength=10" jsonschema_description:"why it may be broken; it is shown with the finding"`
}

// Split divides the snapshot. Validation and Test are shares of all rows; the
// rest trains. By time, the test part is the latest; by id and by group, a hash
// decides, so a row stays in its part in every snapshot; stratified, the shares
// hold in every class of Column.
type Split struct {
	By         string  `json:"by" jsonschema:"enum=time,enum=id,enum=group,enum=stratified"`
	Column     string  `json:"column,omitempty" jsonschema_description:"whose rows stay together, by group; whose shares are kept, stratified: the label when absent"`
	Validation float64 `json:"validation" jsonschema:"exclusiveMinimum=0,maximum=0.5"`
	Test       float64 `json:"test" jsonschema:"exclusiveMinimum=0,maximum=0.5"`
	MinRows    int64   `json:"minRows,omitempty" jsonschema:"minimum=1,default=10" jsonschema_description:"fewest rows of each part"`
}

// GroundTruth says where what really happened arrives.
type GroundTruth struct {
	URI         string   `json:"uri" jsonschema:"pattern=^s3://[a-z0-9][a-z0-9.-]+(/.*)?$"`
	Key         string   `json:"key" jsonschema:"minLength=1" jsonschema_description:"column that holds the inference id"`
	MatureAfter Duration `json:"matureAfter" jsonschema_description:"how long after a window its truth is expected to be there"`
	MinCoverage float64  `json:"minCoverage" jsonschema:"exclusiveMinimum=0,maximum=1" jsonschema_description:"share of predictions that must have their truth"`
}

// Training says what is trained and how the best is chosen.
type Training struct {
	Budget     float64     `json:"budget" jsonschema:"exclusiveMinimum=0" jsonschema_description:"most that the training of one release may cost, in currency units"`
	Candidates []Candidate `json:"candidates" jsonschema:"minItems=1,maxItems=20"`
	Select     Select      `json:"select"`
	MaxRuntime Duration    `json:"maxRuntime,omitempty" jsonschema:"default=1h" jsonschema_description:"longest that one training job may run"`
}

// Candidate is one algorithm and its hyperparameters.
type Candidate struct {
	Name            string         `json:"name" jsonschema:"pattern=^[a-z][a-z0-9]*(-[a-z0-9]+)*$,maxLength=12"`
	Image           string         `json:"image" jsonschema:"minLength=1"`
	Instance        string         `json:"instance" jsonschema:"pattern=^ml\\.[a-z0-9]+\\.[a-z0-9]+$"`
	Hyperparameters map[string]any `json:"hyperparameters,omitempty" jsonschema_description:"handed to the training container; numbers, text or true/false"`
	Script          *Script        `json:"script,omitempty" jsonschema_description:"a project of one's own, for an image that has SageMaker's script mode"`
}

// Script is a project that an image runs in SageMaker's script mode. Inference
// is the program that serves; without it, EntryPoint does both.
type Script struct {
	Source     string `json:"source" jsonschema:"minLength=1" jsonschema_description:"folder, from the model file's own, which steward apply uploads, or the S3 address of a .tar.gz"`
	EntryPoint string `json:"entryPoint" jsonschema:"pattern=^[A-Za-z0-9_][A-Za-z0-9._/-]*$" jsonschema_description:"program in the source that trains, such as train.py"`
	Inference  string `json:"inference,omitempty" jsonschema:"pattern=^[A-Za-z0-9_][A-Za-z0-9._/-]*$" jsonschema_description:"program in the source that serves; entryPoint when absent"`
}

// Remote tells whether the source is in S3 and not in somebody's folder.
func (s Script) Remote() bool { return strings.HasPrefix(s.Source, "s3://") }

// Select names the metric on the validation part that picks the winner.
type Select struct {
	Metric string `json:"metric" jsonschema:"minLength=1"`
	Goal   string `json:"goal" jsonschema:"enum=maximize,enum=minimize"`
}

// Gate is one condition on the winner, measured on the test part: bounds on
// the value, or a comparison with the champion on the same rows. With Slice,
// the bounds hold for every value of that column with at least MinRows rows.
type Gate struct {
	Metric     string      `json:"metric" jsonschema:"minLength=1"`
	Min        *float64    `json:"min,omitempty"`
	Max        *float64    `json:"max,omitempty"`
	VsChampion *VsChampion `json:"vsChampion,omitempty"`
	Slice      string      `json:"slice,omitempty"`
	MinRows    int         `json:"minRows,omitempty" jsonschema:"minimum=1"`
}

// VsChampion compares on the same rows. Exactly one of its fields is set.
type VsChampion struct {
	NonInferior *float64 `json:"nonInferior,omitempty" jsonschema:"exclusiveMinimum=0" jsonschema_description:"margin: the lower end of the difference's interval must lie above minus this"`
	Superior    bool     `json:"superior,omitempty" jsonschema_description:"the lower end of the difference's interval must lie above zero"`
}

// Approval says who must agree before anything is released.
type Approval struct {
	Require   []Requirement `json:"require" jsonschema:"minItems=1"`
	NotAuthor bool          `json:"notAuthor,omitempty" jsonschema_description:"the person who started the release may not approve it"`
	Remind    Duration      `json:"remind,omitempty"`
	Escalate  *Escalation   `json:"escalate,omitempty"`
	Expire    Duration      `json:"expire" jsonschema_description:"silence for this long is a rejection"`
	Automatic string        `json:"automatic,omitempty" jsonschema:"enum=never,default=never"`
}

// Requirement asks for Count different people of a role.
type Requirement struct {
	Role  Role `json:"role" jsonschema:"enum=data-engineer,enum=data-scientist,enum=operator,enum=product-manager,enum=auditor"`
	Count int  `json:"count,omitempty" jsonschema:"minimum=1,default=1"`
}

// Escalation tells somebody else after a while without an answer.
type Escalation struct {
	After Duration `json:"after"`
	To    string   `json:"to" jsonschema:"minLength=1"`
}

// Rollout says how traffic moves to a new version.
type Rollout struct {
	Endpoint Endpoint `json:"endpoint"`
	Steps    []Step   `json:"steps" jsonschema:"minItems=1"`
	Analysis Analysis `json:"analysis"`
}

// Endpoint is what serves the model.
type Endpoint struct {
	Instance string   `json:"instance" jsonschema:"pattern=^ml\\.[a-z0-9]+\\.[a-z0-9]+$"`
	Count    int32    `json:"count,omitempty" jsonschema:"minimum=1,default=1"`
	Startup  Duration `json:"startup,omitempty" jsonschema:"default=10m" jsonschema_description:"longest that a server may take until it answers /ping; 1m to 1h"`
}

// Step is one step of a rollout; exactly one field is set.
type Step struct {
	Smoke   *Smoke    `json:"smoke,omitempty" jsonschema_description:"send a few known rows to the challenger alone"`
	Weight  *int      `json:"weight,omitempty" jsonschema:"minimum=1,maximum=99" jsonschema_description:"send this percentage of the traffic to the challenger"`
	Bake    *Duration `json:"bake,omitempty" jsonschema_description:"watch the challenger for this long"`
	Pause   *Pause    `json:"pause,omitempty" jsonschema_description:"wait until a person promotes or aborts"`
	Promote *Promote  `json:"promote,omitempty" jsonschema_description:"give all traffic to the challenger; the last step"`
}

// Smoke sends Rows test rows (default 20) and compares the answers with the
// batch transform's.
type Smoke struct {
	Rows int `json:"rows,omitempty" jsonschema:"minimum=1,maximum=1000,default=20"`
}

// Pause waits for a person; silence for Expire is an abort.
type Pause struct {
	Expire Duration `json:"expire"`
}

// Promote is the last step: all traffic, then the old version goes.
type Promote struct{}

// Analysis judges the challenger while it bakes.
type Analysis struct {
	Every           Duration `json:"every"`
	Lag             Duration `json:"lag,omitempty" jsonschema_description:"how long after the fact the metrics are complete; some minutes on AWS"`
	MinSamples      int      `json:"minSamples" jsonschema:"minimum=1" jsonschema_description:"requests without which a measurement is inconclusive"`
	MaxFailures     int      `json:"maxFailures,omitempty" jsonschema:"minimum=1,default=1" jsonschema_description:"failed measurements in one bake that condemn the challenger"`
	MaxInconclusive int      `json:"maxInconclusive,omitempty" jsonschema:"minimum=1,default=10" jsonschema_description:"measurements in a row without a verdict before a person is asked"`
	Expire          Duration `json:"expire,omitempty" jsonschema:"default=24h" jsonschema_description:"how long a person may take then; silence rolls back"`
	Metrics         []Level  `json:"metrics" jsonschema:"minItems=1"`
}

// Level bounds one service measurement: errors (share of requests answered
// with 5xx), p50, p90 or p99 (a duration).
type Level struct {
	Name string `json:"name" jsonschema:"enum=errors,enum=p50,enum=p90,enum=p99"`
	Max  Bound  `json:"max" jsonschema_description:"a share for errors, a duration such as 200ms for percentiles"`
}

// Watch says how a serving model is measured.
type Watch struct {
	Every    Duration      `json:"every" jsonschema_description:"length of a window"`
	Lag      Duration      `json:"lag,omitempty" jsonschema:"default=5m" jsonschema_description:"how long after a window its captured traffic is complete"`
	Drift    string        `json:"drift,omitempty" jsonschema:"enum=auto,enum=off,default=auto" jsonschema_description:"auto judges by PSI, 0.1 to watch and 0.2 to act; off measures without judging"`
	Quality  []QualityRule `json:"quality,omitempty"`
	MinRows  int64         `json:"minRows,omitempty" jsonschema:"minimum=30,default=200" jsonschema_description:"rows without which a window is inconclusive"`
	InARow   int           `json:"inARow,omitempty" jsonschema:"minimum=1,default=2" jsonschema_description:"windows in a row that must breach before anything is triggered"`
	Services []Level       `json:"services,omitempty" jsonschema_description:"service levels of the champion"`
}

// QualityRule bounds a metric on the windows whose ground truth has matured.
type QualityRule struct {
	Metric string   `json:"metric" jsonschema:"minLength=1"`
	Min    *float64 `json:"min,omitempty"`
	Max    *float64 `json:"max,omitempty"`
}

// Retrain says what starts a release by itself.
type Retrain struct {
	On          []Cause  `json:"on,omitempty" jsonschema:"uniqueItems=true,enum=schedule,enum=drift,enum=quality,enum=kpi,enum=alert,enum=spec"`
	Schedule    string   `json:"schedule,omitempty" jsonschema_description:"five-field cron expression, UTC"`
	Cooldown    Duration `json:"cooldown,omitempty" jsonschema_description:"shortest time between the end of a release and the next automatic one"`
	MaxPerMonth int      `json:"maxPerMonth,omitempty" jsonschema:"minimum=1,default=4"`
}

// Notify says where people are told, besides the log.
type Notify struct {
	Webhook string `json:"webhook,omitempty" jsonschema:"format=uri" jsonschema_description:"http or https address that gets every notification as JSON"`
}
