package engine

import (
	"dera.example/dera"
	"dera.example/dera/control"
)

// firstLook is the priority of a look at what an event says was opened, of a type with a critical control. What
// follows from one event has its priority; sweeps come after all of them.
const firstLook = 4

// worst is the highest severity of the controls of each type.
func worst(controls []control.Control) map[string]dera.Severity {
	out := map[string]dera.Severity{}
	for _, c := range controls {
		out[c.Type] = max(out[c.Type], c.Severity)
	}
	return out
}

// rank is the priority of the look that an event asks for, which nobody has made yet: by the worst that a control of
// the type can find, and among equals what opens before what does not say, and that before what closes. Nothing
// else depends on it.
func (e *Engine) rank(ev dera.Event) int {
	if ev.Scope.Sweep() {
		return sweepPriority
	}
	s := e.worst[ev.Scope.Type]
	if s == 0 {
		s = dera.Low
	}
	return firstLook + 3*int(dera.Critical-s) + int(ev.Leans-dera.LeansOpen)
}
