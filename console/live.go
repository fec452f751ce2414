package console

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// beatEvery is how often an idle stream says that it is there, which keeps what stands between from closing it.
const beatEvery = 15 * time.Second

// live is a stream of server-sent events (HTML Living Standard, 9.2): each says that a page may have
// news, and has nothing of it. A page fetches itself again then. It ends with the session.
func (c *Console) live(w http.ResponseWriter, r *http.Request) {
	if _, ok := c.sessions.of(r, false); !ok {
		http.Error(w, "your session is over", http.StatusUnauthorized)
		return
	}
	select {
	case c.streams <- struct{}{}:
		defer func() { <-c.streams }()
	default:
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	out := http.NewResponseController(w)
	_ = out.SetWriteDeadline(time.Time{}) // as long as the page is open
	w.Header().Set("Content-Type", "text/event-stream")
	last, news := c.board.now()
	text := ": here\n\n"
	if shown := sees(r); last != nil && shown != "" && shown != strconv.FormatInt(last.number, 10) {
		text = changed(last)
	}
	if _, err := fmt.Fprint(w, text); err != nil || out.Flush() != nil {
		return
	}
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for {
		text := ": still here\n\n"
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
		case <-news:
			var v *snapshot
			if v, news = c.board.now(); last != nil && v.number == last.number {
				continue
			}
			last = v
			text = changed(v)
		}
		if _, ok := c.sessions.of(r, false); !ok {
			text = "event: changed\ndata: the session is over\n\n" // the page shows that
			fmt.Fprint(w, text)
			return
		}
		_ = out.SetWriteDeadline(time.Now().Add(beatEvery))
		if _, err := fmt.Fprint(w, text); err != nil || out.Flush() != nil {
			return
		}
	}
}

// sees is the number of the snapshot that a page has: the last one that the stream announced, before one
// the one that the page was made from. What comes between that and the stream, or while the stream of a
// page in the background is closed, is announced at once.
func sees(r *http.Request) string {
	return cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("since"))
}

func changed(v *snapshot) string {
	return fmt.Sprintf("event: changed\nid: %d\ndata: %d\n\n", v.number, v.number)
}
