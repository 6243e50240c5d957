package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/credential"
	"github.com/tcred/tcred/internal/broker"
	"github.com/tcred/tcred/internal/disk"
	"github.com/tcred/tcred/internal/say"
	"github.com/tcred/tcred/internal/socket"
)

// answer makes the body of one request: a document goes out as it is, anything else as JSON, nil as an empty object.
type answer func(r *http.Request) (any, error)

// document is a body that goes out as it is; a credential's names whose it is and where it is from.
type document struct {
	text           []byte
	profile, layer string
}

// handler routes api's paths.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+api.PathCredentials+"{profile}", s.serve(s.getCredential))
	mux.Handle("GET "+api.PathAll, s.serve(s.getCredential))
	for pattern, a := range map[string]answer{
		"POST " + api.PathCredentials + "{profile}" + api.SuffixRefresh: s.refresh,
		"DELETE " + api.PathCredentials + "{profile}":                   s.clear,
		"DELETE " + api.PathAll:                                         s.clear,
		"GET " + api.PathIdentity + "{profile}":                         s.identity,
		"GET " + api.PathKeys + "{key}" + api.SuffixIdentity:            s.keyIdentity,
		"GET " + api.PathStatus:                                         s.status,
		"GET " + api.PathMetrics:                                        s.metrics,
		"POST " + api.PathReload:                                        s.reload,
		"POST " + api.PathUnlock:                                        s.unlock,
		"PUT " + api.PathKeys + "{key}":                                 s.addKey,
		"POST " + api.PathLock:                                          s.lock,
		"POST " + api.PathStop:                                          s.stopServer,
	} {
		mux.Handle(pattern, s.serve(plain(a)))
	}
	unknown := s.serve(notFound)
	mux.Handle("/", unknown)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.EscapedPath(); !strings.HasPrefix(p, "/") || path.Clean(p) != p {
			unknown.ServeHTTP(w, r) // mux would answer by itself, with a redirection or no words
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func notFound(r *http.Request) (any, error) {
	return nil, &api.Error{
		Code: api.NotFound, Message: fmt.Sprintf("no request %s %q", clip(r.Method), clip(r.URL.Path)),
		Hint: "client and daemon may be of different versions: tcred status",
	}
}

// plain is an answer to requests that take no parameters.
func plain(a answer) answer {
	return func(r *http.Request) (any, error) {
		if _, err := params(r); err != nil {
			return nil, err
		}
		return a(r)
	}
}

// serve lets only our own user's requests through to a, and writes what it answers.
func (s *Server) serve(a answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.lastUse.Store(int64(time.Since(s.started)))
		w.Header().Set(api.HeaderVersion, api.Version)
		err := s.check(r)
		if err == nil {
			s.warn(w)
		}
		if err == nil {
			r.Body = http.MaxBytesReader(w, r.Body, api.MaxBody)
			err = respond(w, r, func(r *http.Request) (any, error) {
				return broker.Guard(s.Log, func() (any, error) { return a(r) })
			})
		}
		if err != nil {
			e := api.AsError(err)
			if e.Code == api.ConfigInvalid { // it says so itself
				w.Header().Del(api.HeaderWarning)
			}
			s.Log.Debug("refused", "path", clip(r.URL.Path), "code", e.Code, "err", e.Message)
			writeError(w, r, e)
		}
	})
}

// warn tells whoever asks that the config on disk is not in use, or not all of it: what they get is what it allows.
func (s *Server) warn(w http.ResponseWriter) {
	if err := s.Problem(); err != nil {
		const most = 1000 // bytes, of a head that clients read to api.MaxHeader
		text := say.PartlyUnused(err)
		if len(text) > most {
			text = strings.ToValidUTF8(text[:most], "") + "…"
		}
		w.Header().Set(api.HeaderWarning, text)
	}
}

// check refuses strangers, clients that mean another config, and bodies over their bound.
func (s *Server) check(r *http.Request) error {
	peer, known := r.Context().Value(peerKey{}).(Peer)
	if !known || peer.UID != s.UID {
		s.Log.Warn("another user's process was refused", "uid", peer.UID, "pid", peer.PID, "known", known)
		return &api.Error{Code: api.Forbidden, Message: "this daemon serves another user", Hint: "start your own: tcred daemon"}
	}
	theirs, ours := r.Header.Get(api.HeaderConfig), s.Config
	exempt := slices.Contains([]string{api.PathStatus, api.PathStop, api.PathMetrics}, r.URL.Path)
	if theirs != "" && !exempt && !disk.SamePath(theirs, ours) {
		return &api.Error{ // to stop the daemon would only move the fault to whoever asked it first
			Code:    api.ConfigMismatch,
			Message: fmt.Sprintf("the daemon reads %q, this client %q", ours, clip(theirs)),
			Hint: "for a daemon of its own, beside that one: export " + api.EnvSocket + "=" +
				socket.Beside(s.Status().Socket, theirs),
		}
	}
	if r.ContentLength > api.MaxBody {
		return tooLarge()
	}
	return nil
}

func tooLarge() error {
	return &api.Error{Code: api.TooLarge, Message: fmt.Sprintf("the request's body is over %d bytes", api.MaxBody)}
}

func (s *Server) getCredential(r *http.Request) (any, error) {
	q, err := params(r, api.ParamFormat, api.ParamMinTTL)
	if err != nil {
		return nil, err
	}
	format, err := credential.ParseFormat(q.Get(api.ParamFormat))
	if err != nil {
		return nil, &api.Error{Code: api.BadRequest, Message: err.Error()} // quotes the name
	}
	minTTL, err := broker.ParseMinTTL(q.Get(api.ParamMinTTL))
	if err != nil {
		return nil, err
	}
	name := r.PathValue("profile")
	if r.URL.Path == api.PathAll {
		if name, err = s.Choose(r.Context()); err != nil {
			return nil, err
		}
	}
	s.askAnew(r, name)
	c, err := s.Broker.Answer(r.Context(), name, minTTL)
	if err != nil {
		return nil, err
	}
	text, err := c.Encode(format)
	return document{text, name, c.Layer}, err
}

func (s *Server) refresh(r *http.Request) (any, error) {
	return s.Broker.Refresh(r.Context(), r.PathValue("profile"))
}

func (s *Server) clear(r *http.Request) (any, error) {
	return s.Broker.Clear(r.Context(), r.PathValue("profile"))
}

func (s *Server) identity(r *http.Request) (any, error) {
	name := r.PathValue("profile")
	s.askAnew(r, name)
	return s.Broker.Identity(r.Context(), name)
}

func (s *Server) keyIdentity(r *http.Request) (any, error) {
	return s.Broker.KeyIdentity(r.Context(), r.PathValue("key"), s.ReadKey)
}

// askAnew forgets the profile's last failure where a person asks, who may just have mended it.
func (s *Server) askAnew(r *http.Request, profile string) {
	if r.Header.Get(api.HeaderPerson) != "" {
		s.Broker.Retry(r.Context(), profile)
	}
}

func (s *Server) status(r *http.Request) (any, error) {
	st := s.Status()
	st.Config = s.Config
	st.Started = s.started.UTC()
	st.STSCalls = s.Broker.Calls()
	st.Profiles = s.Broker.Status(r.Context())
	st.DefaultProfile, _ = s.Choose(r.Context()) // whoever asks for that profile is told what is wrong with it
	s.keystoreStatus(r.Context(), &st)
	if fault := s.Broker.StoreFault(); fault != "" {
		st.CacheProblem = fault
	}
	return st, nil
}

// probeTimeout bounds how long the status waits for the keystore: a keychain may be slow.
const probeTimeout = time.Second

// keystoreStatus says whether keys can be read, and how long.
func (s *Server) keystoreStatus(ctx context.Context, st *api.Status) {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	if err := s.Keystore.Probe(ctx); err != nil {
		st.KeystoreProblem = api.ProblemOf(api.AsError(err))
		return
	}
	if end := s.relock.until(s.wall); !end.IsZero() {
		st.KeystoreUntil = end.UTC()
	}
}

func (s *Server) metrics(r *http.Request) (any, error) {
	return document{text: s.Broker.Metrics(r.Context())}, nil
}

func (s *Server) reload(*http.Request) (any, error) {
	s.Broker.Forget()
	return nil, s.Reload()
}

func (s *Server) unlock(r *http.Request) (any, error) {
	var in api.UnlockRequest
	if err := readBody(r, &in, "an unlock request"); err != nil {
		return nil, err
	}
	var limit time.Duration
	if in.For != "" {
		var err error
		if limit, err = time.ParseDuration(in.For); err != nil || limit <= 0 {
			return nil, &api.Error{Code: api.BadRequest, Message: fmt.Sprintf("for %q is not a time such as 8h", clip(in.For))}
		}
	}
	if err := s.Keystore.Unlock(r.Context(), credential.Secret(in.Passphrase)); err != nil {
		return nil, err
	}
	s.Broker.Forget()
	relock := s.relock.after
	if in.Passphrase == "" { // anybody could have asked: no reason to keep it open longer
		relock = s.relock.within
	}
	relock(limit, s.wall, s.forgetKeys)
	s.Log.Info("unlocked", "for", in.For)
	return nil, nil
}

// readBody decodes a body that may hold a secret: no error quotes it. what names it.
func readBody(r *http.Request, into any, what string) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		return tooLarge()
	}
	if err != nil {
		return &api.Error{Code: api.BadRequest, Message: "the body is not " + what}
	}
	return nil
}

// addKey stores a key for a client that cannot open the keystore by itself.
func (s *Server) addKey(r *http.Request) (any, error) {
	var in api.NewKey
	if err := readBody(r, &in, "a new key"); err != nil {
		return nil, err
	}
	name := r.PathValue("key")
	if err := s.Keys.Add(r.Context(), name, in); err != nil {
		return nil, err
	}
	s.Log.Info("key stored", "key", name, "secret_id", credential.Mask(in.SecretID), "replace", in.Replace)
	s.Broker.Forget()
	_ = s.Reload() // what is wrong with the config does not undo it, and every answer says it
	return nil, nil
}

func (s *Server) lock(*http.Request) (any, error) {
	s.relock.cancel()
	s.forgetKeys()
	return nil, nil
}

func (s *Server) forgetKeys() {
	s.Keystore.Lock()
	s.Broker.Lock()
	s.Log.Info("locked")
	if s.Again {
		select {
		case s.again <- struct{}{}:
		default: // it was asked for already
		}
	}
}

func (s *Server) stopServer(*http.Request) (any, error) {
	s.Log.Info("stopping: asked to")
	s.stop() // the answer still goes out: Shutdown waits for it
	return nil, nil
}

// params are the query's parameters: known ones, each at most once.
func params(r *http.Request, known ...string) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &api.Error{Code: api.BadRequest, Message: "the query string is malformed"}
	}
	for name, values := range q {
		if !slices.Contains(known, name) {
			return nil, &api.Error{Code: api.BadRequest, Message: fmt.Sprintf("unknown parameter %q", clip(name))}
		}
		if len(values) > 1 {
			return nil, &api.Error{Code: api.BadRequest, Message: fmt.Sprintf("parameter %q is given twice", name)}
		}
	}
	return q, nil
}

// respond writes what a answers; nothing was written yet where it fails.
func respond(w http.ResponseWriter, r *http.Request, a answer) error {
	body, err := a(r)
	if err != nil {
		return err
	}
	if d, ok := body.(document); ok {
		if d.layer != "" {
			w.Header().Set(api.HeaderProfile, d.profile)
			w.Header().Set(api.HeaderLayer, d.layer)
		}
		send(w, http.StatusOK, api.TypeText+"; charset=utf-8", d.text)
		return nil
	}
	if body == nil {
		body = struct{}{}
	}
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encoding the answer: %w", err)
	}
	send(w, http.StatusOK, api.TypeJSON, append(text, '\n'))
	return nil
}

// writeError answers with a problem, or with the very lines for stderr where a client prefers text.
func writeError(w http.ResponseWriter, r *http.Request, e *api.Error) {
	if r.Header.Get("Accept") == api.TypeText {
		w.Header().Set(api.HeaderExit, strconv.Itoa(say.Exit(e)))
		send(w, e.Status(), api.TypeText+"; charset=utf-8", []byte(say.Text(e)))
		return
	}
	text, _ := json.Marshal(api.ProblemOf(e)) // strings and numbers only: it cannot fail
	send(w, e.Status(), api.TypeProblem, append(text, '\n'))
}

// send states the length: net/http would chunk a body over 2 KiB, and the helper reads no chunks.
func send(w http.ResponseWriter, status int, mediaType string, body []byte) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(body) // the client is gone: nobody is left to tell
}

// clip bounds what is quoted of a stranger's input.
func clip(s string) string {
	const most = 80
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
