package main

import (
	"fmt"
	"html"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// startReport is what was measured.
type startReport struct {
	machine string
	rounds  int
	tables  []startTable
	targets table
	phases  []phasesOf
	notes   []string
}

// startTable is one limit's.
type startTable struct {
	title string
	rows  table
}

// startMachine says what was measured on.
func startMachine() (string, error) {
	elixir, err := exec.Command("elixir", "--short-version").Output()
	if err != nil {
		return "", err
	}
	otp, err := exec.Command("erl", "-noshell", "-eval", "io:put_chars(erlang:system_info(otp_release)), halt().").Output()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, OTP %s, Elixir %s, %s", cpuModel(), otp, strings.TrimSpace(string(elixir)), time.Now().UTC().Format(time.DateOnly)), nil
}

// values are something of all runs.
func (s *starter) values(of func(startRun) time.Duration) (values []float64) {
	for _, r := range s.runs {
		values = append(values, float64(of(r)))
	}
	return values
}

func (s *starter) middle(of func(startRun) time.Duration) float64 { return median(s.values(of)) }

// resident is the median of something of the memory.
func (s *starter) resident(of func(startMemory) int64) int64 {
	var values []float64
	for _, m := range s.memory {
		values = append(values, float64(of(m)))
	}
	return int64(median(values))
}

func firstAnswer(r startRun) time.Duration { return r.first }

// named is the starter with a name.
func named(starters []*starter, name string) *starter {
	return starters[slices.IndexFunc(starters, func(s *starter) bool { return s.name == name })]
}

// mostFirstEvent is how many times as long the first event may take as those that follow.
const mostFirstEvent = 2

// add takes the figures of a limit.
func (r *startReport) add(l *limit, starters []*starter) {
	t := startTable{title: fmt.Sprintf("start to first answer, %s (medians of %d)", l, r.rounds)}
	t.rows = table{{"", "ready", "first answer", "(least)", "÷ module", "÷ fun", "cpu", "1st event", "later", "(at once)", "memory", "(summed)"}}
	base, fun := named(starters, startBaseline).middle(firstAnswer), named(starters, startFaster).middle(firstAnswer)
	for _, s := range starters {
		first := s.middle(firstAnswer)
		event := s.middle(func(r startRun) time.Duration { return r.event })
		warm := s.middle(func(r startRun) time.Duration { return r.warm })
		atOnce := s.middle(func(r startRun) time.Duration { return r.atOnce })
		memory := s.resident(func(m startMemory) int64 { return m.once })
		t.rows = append(t.rows, []string{
			s.name,
			duration(s.middle(func(r startRun) time.Duration { return r.ready })),
			duration(first), duration(slices.Min(s.values(firstAnswer))), times(first / base), times(first / fun),
			duration(s.middle(func(r startRun) time.Duration { return r.cpu })),
			duration(event), duration(warm), duration(atOnce),
			mebibytes(memory), mebibytes(s.resident(func(m startMemory) int64 { return m.each })),
		})
		if l.cpus != 0 && l.cpus != 0.29 {
			continue
		}
		if s.most > 0 {
			r.target(fmt.Sprintf("first answer, %s, %s", s.name, l), times(s.most),
				fmt.Sprintf("%s (÷ fun %s)", times(first/base), times(first/fun)), first/base <= s.most)
		}
		if s.mostMemory > 0 {
			r.target(fmt.Sprintf("resident when ready, %s, %s", s.name, l), mebibytes(s.mostMemory), mebibytes(memory), memory <= s.mostMemory)
		}
		// With less than a processor, most of what the first event takes is waiting for the
		// next period.
		if !s.frames && s.most > 0 && l.cpus == 0 {
			r.target("first event ÷ later ones, "+s.name, times(mostFirstEvent),
				fmt.Sprintf("%s (÷ at once %s)", times(event/warm), times(event/atOnce)), event/warm <= mostFirstEvent)
		}
	}
	r.tables = append(r.tables, t)
}

// target adds a line about something that is at most what is asked for.
func (r *startReport) target(what, most, measured string, held bool) {
	if r.targets == nil {
		r.targets = table{{"target", "asked for", "measured", ""}}
	}
	verdict := "missed"
	if held {
		verdict = "ok"
	}
	r.targets = append(r.targets, []string{what, "≤ " + most, measured, verdict})
}

// addLayers takes the sizes of layers.
func (r *startReport) addLayers(layers []layerSize) {
	for _, l := range layers {
		r.target("layer for provided.al2023, "+l.preset, decimal(l.most), decimal(l.size), l.size <= l.most)
	}
}

// decimal is a size of an archive, of which 1 MB has 1,000,000 bytes.
func decimal(n int64) string { return fmt.Sprintf("%.2f MB", float64(n)/1e6) }

func mebibytes(n int64) string { return significant(float64(n)/(1<<20)) + " MB" }

const startAbout = "From the start of the process until the answer has been read, through the Runtime API: the event, of 4 KB, waits. " +
	"The 1st event took so long from when it was handed out until its answer was read, and later ones so long: the median of nine with 5 ms between them, and of nine at once. " +
	"Memory is that of the whole tree of processes when it is ready, what they share counted once (PSS), and summed up process by process (RSS): medians of three starts of their own; 1 MB has 1024 kB, as Lambda counts. " +
	"Targets are relative to elixir -e with a loop in a module, as a function of Elixir's is one; ÷ fun has the loop as a fun that is handed to itself, which needs no compiler. " +
	"A function of Erlang's misses its target beside the fun: the emulator's own start, before it loads anything, is more than a tenth of that. " +
	"Layers are made of the machine's Erlang, whether it would load on their target or not; of archives, 1 MB has 1,000,000 bytes."

func (r *startReport) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n", r.machine, startAbout)
	for _, t := range r.tables {
		fmt.Fprintf(&b, "\n%s\n\n%s", t.title, t.rows.text())
	}
	fmt.Fprintf(&b, "\n%s\nwhere the time goes, in ms\n\n%s", r.targets.text(), r.chart())
	for _, n := range r.notes {
		fmt.Fprintf(&b, "\nnote: %s\n", n)
	}
	return b.String()
}

func (r *startReport) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Cold starts\n\n`make starts` made this. %s. %s\n", r.machine, startAbout)
	for _, t := range r.tables {
		fmt.Fprintf(&b, "\n## %s\n\n%s", sentence(t.title), t.rows.markdown(figures))
	}
	fmt.Fprintf(&b, "\n## Targets\n\n%s\n## Where the time goes\n\n```\n%s```\n", r.targets.markdown(figures), r.chart())
	for _, n := range r.notes {
		fmt.Fprintf(&b, "\nNote: %s.\n", n)
	}
	return b.String()
}

// bars are the marks of phases in a chart of text.
var bars = []string{"█", "▓", "▒", "░", "·"}

const chartWidth = 60

// total is how long all phases take together.
func (p phasesOf) total() (sum float64) {
	for _, phase := range p.phases {
		if len(phase.took) > 0 {
			sum += median(phase.took)
		}
	}
	return sum
}

func (r *startReport) longest() (most float64) {
	for _, p := range r.phases {
		most = max(most, p.total())
	}
	return most
}

// chart is a bar for each start, with its phases.
func (r *startReport) chart() string {
	most := r.longest()
	var b strings.Builder
	for i, p := range startPhases {
		fmt.Fprintf(&b, "%s %s  ", bars[i], p.name)
	}
	b.WriteString("\n\n")
	for _, p := range r.phases {
		fmt.Fprintf(&b, "%-18s ", p.name)
		at, drawn := 0.0, 0
		var figures []string
		for i, phase := range p.phases {
			if len(phase.took) == 0 {
				figures = append(figures, "-")
				continue
			}
			took := median(phase.took)
			at += took
			to := int(at/most*chartWidth + 0.5)
			b.WriteString(strings.Repeat(bars[i], max(to-drawn, 0)))
			drawn = max(to, drawn)
			figures = append(figures, significant(took))
		}
		fmt.Fprintf(&b, "%s %s = %s\n", strings.Repeat(" ", chartWidth-drawn), strings.Join(figures, " + "), significant(at))
	}
	return b.String()
}

// colours are those of the phases in the picture.
var colours = []string{"#4e79a7", "#f28e2b", "#e15759", "#76b7b2", "#59a14f"}

// svg is the chart as a picture.
func (r *startReport) svg() string {
	const left, width, line = 150, 640, 26
	height := line*(len(r.phases)+2) + 20
	scale := width / max(r.longest(), 1)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n", left+width+90, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n")
	for i, p := range startPhases {
		fmt.Fprintf(&b, `<rect x="%d" y="8" width="12" height="12" fill="%s"/><text x="%d" y="18">%s</text>`+"\n",
			10+i*165, colours[i], 27+i*165, html.EscapeString(p.name))
	}
	for n, p := range r.phases {
		y := line*(n+1) + 14
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`+"\n", left-8, y+14, html.EscapeString(p.name))
		x := float64(left)
		for i, phase := range p.phases {
			if len(phase.took) == 0 {
				continue
			}
			took := median(phase.took)
			fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="18" fill="%s"><title>%s: %.1f ms</title></rect>`+"\n",
				x, y, took*scale, colours[i], html.EscapeString(phase.name), took)
			x += took * scale
		}
		fmt.Fprintf(&b, `<text x="%.1f" y="%d">%s ms</text>`+"\n", x+6, y+14, significant(p.total()))
	}
	b.WriteString("</svg>\n")
	return b.String()
}
