package report

import (
	"fmt"

	"steward/internal/plot"
	"steward/internal/stats"
)

// JudgedFormat is the format of the Judged documents that this program writes.
const JudgedFormat = "steward/judged/v1"

// Judged is how a binary model's answers lie against what happened: the curves
// behind its metrics, as stored with the evidence.
type Judged struct {
	Format          string                 `json:"format"`
	Rows            int                    `json:"rows"`
	Threshold       float64                `json:"threshold"` // of Confusion
	ROC             stats.ROC              `json:"roc"`
	PrecisionRecall stats.PrecisionRecall  `json:"precisionRecall"`
	Calibration     []stats.CalibrationBin `json:"calibration"`
	Scores          []stats.ScoreBin       `json:"scores"`
	Confusion       stats.Confusion        `json:"confusion"`
}

const (
	curvePoints     = 200
	calibrationBins = 10
	scoreBins       = 20
	confidence      = 0.95
)

// Judge draws up what there is to see of scored rows. Errors are those of
// stats.ROCCurve: rows of one class only have no curve.
func Judge(s stats.Scored, threshold float64) (*Judged, error) {
	j := &Judged{Format: JudgedFormat, Rows: len(s.Label), Threshold: threshold}
	for _, step := range []func() error{
		func() (err error) { j.ROC, err = stats.ROCCurve(s, curvePoints); return err },
		func() (err error) { j.PrecisionRecall, err = stats.PrecisionRecallCurve(s, curvePoints); return err },
		func() (err error) {
			j.Calibration, err = stats.CalibrationCurve(s, calibrationBins, stats.EqualCount, confidence)
			return err
		},
		func() (err error) { j.Scores, err = stats.ScoreHistogram(s, scoreBins); return err },
		func() (err error) { j.Confusion, err = stats.ConfusionAt(s, threshold); return err },
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// Diagram is a picture with what it shows.
type Diagram struct {
	Title   string
	Caption string
	SVG     string
}

// Diagrams draws a model, beside the champion on the same rows unless that is nil.
func Diagrams(model, champion *Judged) []Diagram {
	return []Diagram{
		{"ROC", "What is found against false alarms, at every threshold: the higher the better; the diagonal is guessing.", rocPlot(model, champion)},
		{"Precision and recall", "Of those flagged, how many are right, against how many are found; the level line is flagging at random.", recallPlot(model, champion)},
		{"Reliability", "How often it happens when the model says so: on the diagonal a score is a probability. Bars are 95 % intervals.", reliabilityPlot(model, champion)},
		{"Scores by class", "Where the scores of the two classes lie: the less they overlap the better.", scorePlot(model)},
		{"Confusion", fmt.Sprintf("What was said against what happened, flagging scores of %s and above.", plot.Number(model.Threshold)), confusionPlot(model)},
	}
}

// named calls draw for the model and, if there is one, the champion.
func named(model, champion *Judged, line func(*Judged) plot.Line) []plot.Line {
	this := line(model)
	this.Name = "this release"
	lines := []plot.Line{this}
	if champion != nil {
		other := line(champion)
		other.Name = "champion"
		lines = append(lines, other)
	}
	return lines
}

func rocPlot(model, champion *Judged) string {
	return plot.Curves{Title: "ROC curve", X: "false positive rate", Y: "true positive rate", Diagonal: true,
		Lines: named(model, champion, func(j *Judged) (l plot.Line) {
			for _, p := range j.ROC.Points {
				l.X, l.Y = append(l.X, p.FalsePositiveRate), append(l.Y, p.TruePositiveRate)
			}
			return l
		})}.SVG()
}

// recallPlot draws steps: between two thresholds precision does not run straight.
func recallPlot(model, champion *Judged) string {
	return plot.Curves{Title: "precision and recall", X: "recall", Y: "precision", Level: &model.PrecisionRecall.BaseRate,
		Lines: named(model, champion, func(j *Judged) (l plot.Line) {
			at := 0.0
			for _, p := range j.PrecisionRecall.Points {
				l.X, l.Y = append(l.X, at, p.Recall), append(l.Y, p.Precision, p.Precision)
				at = p.Recall
			}
			return l
		})}.SVG()
}

func reliabilityPlot(model, champion *Judged) string {
	return plot.Curves{Title: "reliability", X: "mean score", Y: "share of class 1", Diagonal: true,
		Lines: named(model, champion, func(j *Judged) (l plot.Line) {
			for _, b := range j.Calibration {
				l.X, l.Y = append(l.X, b.Score), append(l.Y, b.Observed)
				l.Low, l.High = append(l.Low, b.Low), append(l.High, b.High)
				l.Labels = append(l.Labels, fmt.Sprintf("scores %s to %s: %s happened, %s said, of %d rows",
					plot.Number(b.From), plot.Number(b.To), plot.Percent(b.Observed), plot.Percent(b.Score), b.Count))
			}
			return l
		})}.SVG()
}

func scorePlot(j *Judged) string {
	h := plot.Histogram{Title: "scores by class", Names: []string{"class 0", "class 1"}, Shares: make([][]float64, 2)}
	var sums [2]float64
	for _, b := range j.Scores {
		sums[0], sums[1] = sums[0]+b.Negative, sums[1]+b.Positive
	}
	for i, b := range j.Scores {
		if i == 0 {
			h.Edges = []float64{b.From}
		}
		h.Edges = append(h.Edges, b.To)
		h.Shares[0] = append(h.Shares[0], b.Negative/max(sums[0], 1e-300))
		h.Shares[1] = append(h.Shares[1], b.Positive/max(sums[1], 1e-300))
	}
	return h.SVG()
}

func confusionPlot(j *Judged) string {
	c := j.Confusion
	return plot.Matrix{Title: "confusion matrix", Labels: []string{"0", "1"},
		Counts: [][]float64{{c.TrueNegative, c.FalsePositive}, {c.FalseNegative, c.TruePositive}}}.SVG()
}
