// Package plot draws statistics as SVG: the same values give the same bytes,
// pages need no script for them, and colours come from Style by class, light or
// dark as the reader's screen is. Colours are told apart by colour-blind people
// (Okabe and Ito 2008, "Color universal design"), and series differ by form as
// well: filled or outlined, whole or dashed, round or square.
//
// What cannot be drawn, such as a NaN, is left out; a diagram of nothing is "".
package plot

import _ "embed"

// Style is the style sheet of all diagrams.
//
//go:embed plot.css
var Style string
