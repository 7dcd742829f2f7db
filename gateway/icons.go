package gateway

import (
	"fmt"
	"html/template"
)

// tones give each word its colour and its shape, which differ together: colour
// alone says nothing to many people.
var tones = map[string]struct{ tone, shape string }{
	"good": {"good", "tick"}, "pass": {"good", "tick"}, "released": {"good", "tick"}, "done": {"good", "tick"}, "none": {"good", "tick"},
	"watch": {"warn", "triangle"}, "inconclusive": {"warn", "question"}, "paused": {"warn", "bars"},
	"degraded": {"bad", "cross"}, "fail": {"bad", "cross"}, "error": {"bad", "bang"}, "failed": {"bad", "cross"},
	"rejected": {"bad", "cross"}, "rolled-back": {"bad", "back"}, "act": {"bad", "cross"}, "undo": {"bad", "back"},
	"current": {"busy", "dot"}, "waiting": {"wait", "person"}, "approval": {"wait", "person"},
	"snapshot": {"busy", "dot"}, "check": {"busy", "dot"}, "prepare": {"busy", "dot"}, "train": {"busy", "dot"}, "evaluate": {"busy", "dot"},
	"gates": {"busy", "dot"}, "register": {"busy", "dot"}, "evidence": {"busy", "dot"}, "rollout": {"busy", "dot"},
}

// shapes are 16 by 16 drawings.
var shapes = map[string]string{
	"tick":     `<circle cx="8" cy="8" r="7"/><path class="ink" d="M4.6 8.3l2.4 2.4 4.4-5"/>`,
	"triangle": `<path d="M8 1.2 15.4 14.4H.6z"/><path class="ink" d="M8 5.8v4M8 11.9v.4"/>`,
	"question": `<circle class="ring" cx="8" cy="8" r="6.6"/><path class="ring" d="M5.9 6.3c.3-2.7 4.2-2.4 4.1.1 0 1.5-2 1.5-2 3.1M8 11.7v.4"/>`,
	"cross":    `<rect x="1" y="1" width="14" height="14" rx="3"/><path class="ink" d="M5 5l6 6M11 5l-6 6"/>`,
	"bang":     `<path d="M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.8V5.2z"/><path class="ink" d="M8 4.4v4.4M8 11.2v.4"/>`,
	"back":     `<rect x="1" y="1" width="14" height="14" rx="3"/><path class="ink" d="M7 4.5 3.8 7.7 7 10.9M4 7.7h8"/>`,
	"bars":     `<rect x="1" y="1" width="14" height="14" rx="3"/><path class="ink" d="M6 5v6M10 5v6"/>`,
	"dot":      `<circle class="ring" cx="8" cy="8" r="6"/><circle cx="8" cy="8" r="3"/>`,
	"ring":     `<circle class="ring" cx="8" cy="8" r="6"/>`,
	"person":   `<circle cx="8" cy="4.6" r="3.4"/><path d="M1.6 15c.4-8 12.4-8 12.8 0z"/>`,
}

// icon is the shape that belongs to a word.
func icon(word any) template.HTML {
	t, ok := tones[fmt.Sprint(word)]
	if !ok {
		t.tone, t.shape = "idle", "ring"
	}
	return template.HTML(`<svg class="icon ` + t.tone + `" viewBox="0 0 16 16" aria-hidden="true">` + shapes[t.shape] + `</svg>`)
}

// badge is a word with its shape. It takes the named string types too.
func badge(word any) template.HTML {
	text := fmt.Sprint(word)
	t, ok := tones[text]
	if !ok {
		t.tone = "idle"
	}
	return template.HTML(`<span class="badge `+t.tone+`">`) + icon(text) + template.HTML(template.HTMLEscapeString(text)+`</span>`)
}
