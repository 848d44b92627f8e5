package cache

// A test may spell keys out.
type answer struct {
	Origin string `json:"origin"`
	Cache  bool   `json:"cache"`
	Log    string `json:"log"`
}

var _ = answer{}
