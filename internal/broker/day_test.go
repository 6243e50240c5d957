package broker

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tcred/tcred/api"
	"github.com/tcred/tcred/internal/broker/brokertest"
)

// ask asks every so often for so long, and returns the least that was left of an answer.
func (w *world) ask(every, long time.Duration) (least time.Duration) {
	w.T.Helper()
	least = 1 << 62
	for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(every) {
		least = min(least, w.Must(0).Expires.Sub(w.Wall()))
	}
	return least
}

func TestADayOfUseMakes24To27Calls(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.refresh()
		least := w.ask(time.Minute, 24*time.Hour)
		if calls := w.STS.NewCalls(); calls < 24 || calls > 27 {
			t.Errorf("%d STS calls in a day", calls)
		}
		if half := 119 * time.Minute / 2; least < half-time.Second {
			t.Errorf("a tool in use got a credential with %v left, less than half", least)
		}
	})
}

// AWS SDKs call their helper on every request below 15 minutes, so a short profile is renewed 20 before expiry.
func TestAHalfHourProfileInUseAlwaysHas15MinutesLeft(t *testing.T) {
	inWorld(t, 30*time.Minute, func(t *testing.T, w *world) {
		w.refresh()
		if least := w.ask(10*time.Second, 6*time.Hour); least < 15*time.Minute {
			t.Errorf("served with %v left", least)
		}
		if calls := w.STS.NewCalls(); calls > 6*60/8 {
			t.Errorf("%d STS calls in six hours", calls)
		}
	})
}

func TestAHalfHourProfileAtAnyAgeHas15MinutesLeft(t *testing.T) {
	for age := time.Duration(0); age < 31*time.Minute; age += 10 * time.Second {
		inWorld(t, 30*time.Minute, func(t *testing.T, w *world) {
			w.Must(0)
			time.Sleep(age) // unused, so nothing renews it ahead
			if left := w.Must(0).Expires.Sub(w.Wall()); left < 15*time.Minute {
				t.Errorf("at age %v served with %v left", age, left)
			}
		})
	}
}

func TestAnIdleDayMakesAtMostTwoCalls(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.refresh()
		w.Must(0)
		time.Sleep(time.Minute)
		w.Must(0) // a use after the issue: renewed once for it, then no more
		time.Sleep(24 * time.Hour)
		w.WantCalls(2)
	})
}

func TestRenewalsComeEarlyByJitter(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.refresh()
		half := 119 * time.Minute / 2
		early := 0
		for range 20 {
			start := time.Now()
			first := w.Must(0)
			for w.broker.Status(t.Context())[0].Expires.Equal(first.Expires) {
				w.Must(0)
				time.Sleep(10 * time.Second)
			}
			age := time.Since(start)
			if age < half*9/10-time.Minute || age > half+time.Minute {
				t.Errorf("renewed at age %v", age)
			}
			if age < half-time.Minute {
				early++
			}
		}
		if early < 5 {
			t.Errorf("%d of 20 renewals came early", early)
		}
	})
}

func TestAnOutageAsLongAsTheRemainingLifeLosesNoCall(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.refresh()
		w.ask(10*time.Second, 40*time.Minute)
		left := w.Must(0).Expires.Sub(w.Wall())
		w.STS.Fail(brokertest.Down)
		w.STS.NewCalls()
		w.ask(10*time.Second, left-10*time.Second)
		if calls := w.STS.NewCalls(); calls > 400 {
			t.Errorf("%d STS calls in the outage", calls)
		}
		w.STS.Fail(nil)
		w.ask(10*time.Second, time.Hour)
	})
}

func TestALongerOutageFailsClearlyAndHealsByItself(t *testing.T) {
	for _, err := range []*api.Error{brokertest.Down, brokertest.Slowly} {
		inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
			w.refresh()
			w.Must(0)
			time.Sleep(time.Minute)
			w.Must(0)
			w.STS.Fail(err)
			time.Sleep(3 * time.Hour)
			if e := w.MustFail(err.Code); e.Message != err.Message {
				t.Errorf("the error says %q", e.Message)
			}
			w.STS.NewCalls()
			time.Sleep(time.Hour)
			if calls := w.STS.NewCalls(); calls > 3*3600/20 {
				t.Errorf("%d STS calls in an hour of outage", calls)
			}
			w.STS.Fail(nil)
			time.Sleep(30 * time.Second)
			w.STS.NewCalls()
			start := time.Now()
			w.Must(0)
			if waited := time.Since(start); waited > 0 {
				t.Errorf("30 s after STS came back a caller still waited %v", waited)
			}
			w.WantCalls(0)
		})
	}
}

func TestAfterANightOfSleepTheRefresherWakesByItself(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.refresh()
		w.ask(time.Minute, 30*time.Minute)
		w.Sleep(8 * time.Hour)
		time.Sleep(31 * time.Second)
		start := time.Now()
		w.Must(0)
		if waited := time.Since(start); waited > 0 {
			t.Errorf("a caller waited %v", waited)
		}
		w.WantCalls(2)
	})
}

// Every call checks in truth that what it got is alive.
func TestADeadTokenIsNeverServed(t *testing.T) {
	for name, story := range map[string]func(*world){
		"clock 4 minutes behind from the start": func(w *world) {
			w.Step(-4 * time.Minute)
			w.Must(0)
			w.STS.Fail(brokertest.Down)
		},
		"clock 4 minutes ahead, then set right": func(w *world) {
			w.Step(4 * time.Minute)
			w.Must(0)
			w.STS.Fail(brokertest.Down)
			time.Sleep(30 * time.Minute)
			w.Step(-4 * time.Minute)
		},
		"clock stepped an hour back at 1.5h of 2h": func(w *world) {
			w.Must(0)
			time.Sleep(90 * time.Minute)
			w.Step(-time.Hour)
			w.STS.Fail(brokertest.Down)
		},
		"clock stepped to before the issue": func(w *world) {
			w.Must(0)
			time.Sleep(90 * time.Minute)
			w.Step(-3 * time.Hour)
			w.STS.Fail(brokertest.Down)
		},
		"a sleep of an hour": func(w *world) {
			w.Must(0)
			w.STS.Fail(brokertest.Down)
			time.Sleep(30 * time.Minute)
			w.Sleep(time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
				w.refresh()
				story(w)
				failed := 0
				for range 3 * 60 * 3 {
					if _, err := w.Get(0); err != nil {
						failed++
					}
					time.Sleep(20 * time.Second)
				}
				if failed == 0 {
					t.Error("three hours without STS, and no call failed")
				}
			})
		})
	}
}

func TestALifeUnder15MinutesDoesNotCostACallARequest(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.STS.Change(func(f *brokertest.STS) { f.Given = 10 * time.Minute })
		w.Must(0)
		w.WantCalls(1)
		for range 60 {
			w.Must(0)
			time.Sleep(4 * time.Second)
		}
		w.WantCalls(0)
		w.ask(4*time.Second, 56*time.Minute)
		if calls := w.STS.NewCalls(); calls > 14 {
			t.Errorf("%d STS calls in an hour", calls)
		}
	})
}

func TestARemovedProfileIsNotRenewed(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.refresh()
		w.Must(0)
		time.Sleep(time.Minute)
		w.Must(0)
		w.WantCalls(1)
		w.STS.Change(func(f *brokertest.STS) { f.NoName = true })
		time.Sleep(3 * time.Hour)
		w.WantCalls(0)
		w.MustFail(api.NoProfile)
	})
}

func TestARefresherWithNothingToDoSleeps(t *testing.T) {
	inWorld(t, 2*time.Hour, func(t *testing.T, w *world) {
		w.refresh()
		w.Must(0)
		synctest.Wait()
		if next := w.broker.renewDue(t.Context()); next >= 0 {
			t.Errorf("nothing is in use, yet the next look is in %v", next)
		}
	})
}
