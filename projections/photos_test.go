package projections

import (
	"fmt"
	"slices"
	"testing"

	"rentbook/domain"
	"rentbook/domain/hazard"
	"rentbook/domain/repair"
)

func TestReader_Photos(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.everything()
	var want []string
	photos := func(from, to int) (ids []domain.ID) {
		for i := from; i < to; i++ {
			ids = append(ids, domain.ID(fmt.Sprintf("P%02d", i)))
		}
		return ids
	}
	for _, id := range photos(0, 30) {
		want = append(want, string(id))
	}
	for i, named := range [][]domain.ID{photos(5, 20), photos(10, 15), photos(0, 7)} {
		given[repair.Event](s, repairStream(fmt.Sprintf("R%d", i)), repair.Reported{
			At: at(1, 9), Tenancy: "T1", Property: "H1", Path: []string{"hall"}, Tree: "1", Description: secret("dark"), Photos: named,
		})
	}
	given[hazard.Event](s, "hazard-Z1",
		hazard.Recognised{Property: "H1", Kind: "fire", Grade: hazard.Significant, AwareAt: at(1, 9), Channel: hazard.Call},
		hazard.EvidenceAdded{Step: hazard.Step{Action: "A1", At: at(1, 9), Photos: photos(12, 30)}})
	v := s.open()
	s.catchUp(v)
	s.read(v, func(r *Reader) error {
		n, err := r.CountPhotos()
		s.must(err)
		if n != 30 {
			t.Errorf("counted %d, want 30", n)
		}
		for _, most := range []int{1, 7, 30, 100} {
			var got []string
			for after := ""; ; {
				page, err := r.Photos(after, most)
				s.must(err)
				if len(page) > most {
					t.Errorf("%d at once, want %d at most", len(page), most)
				}
				if len(page) == 0 {
					break
				}
				got, after = append(got, page...), page[len(page)-1]
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d at once: got %v", most, got)
			}
		}
		return nil
	})
}
