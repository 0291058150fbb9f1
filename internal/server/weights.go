package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/picketsec/picket/internal/audit"
	"github.com/picketsec/picket/internal/exposure"
	"github.com/picketsec/picket/internal/store"
)

// weightsSetting is the name under which the weights of devices are stored.
const weightsSetting = "device_weights"

// DeviceWeights say what a device counts in scores by its value. They are
// multiples of 0.025, as scores are made of: nothing is rounded.
type DeviceWeights struct {
	Low    float64 `json:"low" minimum:"0.025" maximum:"10" doc:"Weight of a device of low value, a multiple of 0.025."`
	Normal float64 `json:"normal" minimum:"0.025" maximum:"10" doc:"Weight of a device of normal value, not below that of a low one."`
	High   float64 `json:"high" minimum:"0" maximum:"10" doc:"Weight of a device of high value, not below that of a normal one; 0: automatic, a tenth of the number of devices, at least 1 and at most 10."`
}

// DeviceWeightsView is DeviceWeights with what follows from them now.
type DeviceWeightsView struct {
	DeviceWeights
	HighNow float64       `json:"high_now"` // what a device of high value counts with as many devices as there are
	Default DeviceWeights `json:"default"`  // what holds unless somebody sets something else
	Devices ValueCount    `json:"devices"`  // that count in the score of what the caller looks at, by value
	AsOf    time.Time     `json:"as_of"`
}

// ValueCount counts devices by value.
type ValueCount struct {
	Low    int `json:"low"`
	Normal int `json:"normal"`
	High   int `json:"high"`
}

// weighting checks weights and makes them whole numbers of fortieths.
func (w DeviceWeights) weighting() (exposure.Weighting, error) {
	var out exposure.Weighting
	for _, f := range []struct {
		name string
		from float64
		to   *uint64
		none bool // 0 is automatic
	}{{"low", w.Low, &out.Low, false}, {"normal", w.Normal, &out.Normal, false}, {"high", w.High, &out.High, true}} {
		if f.none && f.from == 0 {
			continue
		}
		n := math.Round(f.from * exposure.Fortieths)
		if !(n >= exposure.LeastWeight && n <= exposure.MostWeight) || math.Abs(f.from*exposure.Fortieths-n) > 1e-9 {
			return out, Invalidf(f.name, "must be a multiple of 0.025 from 0.025 to 10")
		}
		*f.to = uint64(n)
	}
	switch {
	case out.Normal < out.Low:
		return out, Invalidf("normal", "must not be below the weight of a device of low value")
	case out.High != 0 && out.High < out.Normal:
		return out, Invalidf("high", "must not be below the weight of a device of normal value")
	case out.High == 0 && out.Normal > exposure.Fortieths:
		return out, Invalidf("normal", "must not be above 1 while the weight of a device of high value is automatic: that may be 1")
	}
	return out, nil
}

// weightOf is a weight in fortieths as people write it.
func weightOf(fortieths uint64) float64 { return float64(fortieths) / exposure.Fortieths }

func deviceWeights(w exposure.Weighting) DeviceWeights {
	return DeviceWeights{Low: weightOf(w.Low), Normal: weightOf(w.Normal), High: weightOf(w.High)}
}

// weightsStamp is what stored scores say of the weights that they were made with.
func weightsStamp(w exposure.Weighting) string {
	if w == exposure.DefaultWeighting() {
		return "" // as what was stored when there were no others
	}
	return weighingWords(w)
}

// weightsWords are weights for people, of a stamp.
func weightsWords(stamp string) string {
	if stamp == "" {
		return weighingWords(exposure.DefaultWeighting())
	}
	return stamp
}

func weighingWords(w exposure.Weighting) string {
	word := func(n uint64) string { return strconv.FormatFloat(weightOf(n), 'f', -1, 64) }
	high := "automatic"
	if w.High != 0 {
		high = word(w.High)
	}
	return "Low " + word(w.Low) + ", Normal " + word(w.Normal) + ", High " + high
}

// readWeighting reads what is set.
func readWeighting(ctx context.Context, st *store.Store) (exposure.Weighting, error) {
	raw, err := st.Setting(ctx, weightsSetting)
	if errors.Is(err, store.ErrNotFound) {
		return exposure.DefaultWeighting(), nil
	}
	if err != nil {
		return exposure.Weighting{}, fmt.Errorf("read weights of devices: %w", err)
	}
	var w DeviceWeights
	if err := json.Unmarshal(raw, &w); err != nil {
		return exposure.Weighting{}, fmt.Errorf("read weights of devices: %w", err)
	}
	return w.weighting()
}

// DeviceWeights tells what devices count in scores by their value.
func (s *Server) DeviceWeights(ctx context.Context, caller Caller) (DeviceWeightsView, error) {
	if err := s.need(caller, ScoreRead); err != nil {
		return DeviceWeightsView{}, err
	}
	if err := s.core.readSettled(ctx); err != nil {
		return DeviceWeightsView{}, err
	}
	defer s.core.mu.RUnlock()
	return s.core.weightsView(s.core.lens(caller)), nil
}

// weightsView counts the devices of a lens. The caller holds mu for reading.
func (c *core) weightsView(l lens) DeviceWeightsView {
	n := c.fleet.Scores().Valued(l.groups)
	return DeviceWeightsView{DeviceWeights: deviceWeights(c.weighting), HighNow: weightOf(c.weights()[exposure.ValueHigh]), Default: deviceWeights(exposure.DefaultWeighting()),
		Devices: ValueCount{Low: n[exposure.ValueLow], Normal: n[exposure.ValueNormal], High: n[exposure.ValueHigh]}, AsOf: time.Now().UTC()}
}

// SetDeviceWeights sets what devices count in scores by their value. It holds
// for every score, impact and plan when it returns, and the histories of scores
// say from when on: it is a change of method.
func (s *Server) SetDeviceWeights(ctx context.Context, caller Caller, want DeviceWeights) (DeviceWeightsView, error) {
	if err := s.needAll(caller, ManageSecurity); err != nil {
		return DeviceWeightsView{}, err
	}
	now, err := want.weighting()
	if err != nil {
		return DeviceWeightsView{}, err
	}
	s.sorting.Lock() // one change of what devices are worth at a time
	defer s.sorting.Unlock()
	c := s.core
	if err := c.settle(ctx); err != nil {
		return DeviceWeightsView{}, err
	}
	if err := s.scoreChanges(ctx); err != nil { // what was told is scored by the weights that it was told with
		return DeviceWeightsView{}, err
	}
	c.mu.RLock()
	was := c.weighting
	c.mu.RUnlock()
	raw, err := json.Marshal(deviceWeights(now))
	if err != nil {
		return DeviceWeightsView{}, fmt.Errorf("encode weights of devices: %w", err)
	}
	audit.Change(ctx, "device weights", deviceWeights(was), deviceWeights(now))
	if err := s.st.SetSetting(ctx, weightsSetting, raw); err != nil {
		return DeviceWeightsView{}, fmt.Errorf("store weights of devices: %w", err)
	}
	c.mu.Lock()
	c.weighting = now
	c.mu.Unlock()
	s.log.InfoContext(ctx, "weights of devices set", "weights", weighingWords(now), "by", caller.Name)
	s.live.publish(LiveEvent{Resource: "score"})
	select {
	case s.settleSoon <- struct{}{}: // into the histories
	default:
	}
	return s.DeviceWeights(context.WithoutCancel(ctx), caller)
}
