package statement

// colour is red, green and blue. Texts are dark enough on white, and on the tint, for WCAG 2.2
// AAA (7 to 1); no meaning is carried by colour alone.
type colour struct{ r, g, b int }

func ink() colour      { return colour{0x1A, 0x1A, 0x1A} }
func grey() colour     { return colour{0x4A, 0x4A, 0x4A} }
func accent() colour   { return colour{0x0F, 0x4C, 0x5C} }
func hairline() colour { return colour{0xD4, 0xD8, 0xDA} }
func tint() colour     { return colour{0xEF, 0xF4, 0xF5} }

// style is how a text looks.
type style struct {
	bold    bool
	size    float64 // points
	leading float64 // millimetres from line to line
	colour  colour
}

func titleStyle() style    { return style{bold: true, size: 22, leading: 10, colour: accent()} }
func subtitleStyle() style { return style{size: 12, leading: 6, colour: ink()} }
func verdictStyle() style  { return style{bold: true, size: 15, leading: 7.5, colour: accent()} }
func labelStyle() style    { return style{size: 8, leading: 4, colour: grey()} }
func bodyStyle() style     { return style{size: 9.5, leading: 4.8, colour: ink()} }
func strongStyle() style   { return style{bold: true, size: 9.5, leading: 4.8, colour: ink()} }
func quietStyle() style    { return style{size: 8.5, leading: 4.4, colour: grey()} }
func headStyle() style     { return style{bold: true, size: 8.5, leading: 4.4, colour: accent()} }
func rowStyle() style      { return style{size: 9, leading: 4.5, colour: ink()} }
func totalStyle() style    { return style{bold: true, size: 9, leading: 4.5, colour: ink()} }
func noteStyle() style     { return style{size: 8, leading: 4, colour: grey()} }
