package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
)

//go:embed peers/metrics_sklearn.py
var scikitLearn string

const (
	metricsReplicates = 200
	metricsCPU        = 2 // seconds at most
)

// metricsBench measures a model on scored rows, with intervals of every metric;
// scikit-learn is given fewer replicates, by which its time is scaled.
type metricsBench struct{ rows, peerReplicates, rounds int }

func (b metricsBench) run(ctx context.Context, l lab) ([]result, error) {
	python, err := peerPython(ctx)
	if err != nil {
		return nil, err
	}
	tables, err := buildTables(ctx, l.dir)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(l.dir, "scores")
	if err := writeScores(file, b.rows); err != nil {
		return nil, err
	}
	var cpu, peer []float64
	for i := range b.rounds {
		ours, err := measure(ctx, b.rows, tables, "metrics", file, strconv.Itoa(metricsReplicates))
		if err != nil {
			return nil, err
		}
		theirs, err := measure(ctx, b.rows, python, "-c", scikitLearn, file, strconv.Itoa(metricsReplicates), strconv.Itoa(b.peerReplicates))
		if err != nil {
			return nil, err
		}
		l.say("metrics: %d of %d: %.2f CPU s, scikit-learn %.0f CPU s", i+1, b.rounds, ours.cpu, theirs.worked)
		cpu, peer = append(cpu, ours.cpu), append(peer, theirs.worked)
	}
	return []result{
		{ours: median(cpu), peer: metricsCPU * float64(b.rows) / 1e6, unit: "s", most: 1},
		{name: "-peer", ours: median(cpu), peer: median(peer), unit: "s", most: 0.05},
	}, nil
}

// writeScores writes pairs of a label and the score of a calibrated model.
func writeScores(file string, rows int) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	r := rand.New(rand.NewPCG(1, 1))
	for range rows {
		pair := [2]float64{0, 1 / (1 + math.Exp(1-r.NormFloat64()))}
		if r.Float64() < pair[1] {
			pair[0] = 1
		}
		if err := binary.Write(w, binary.LittleEndian, pair); err != nil {
			return err
		}
	}
	return w.Flush()
}
