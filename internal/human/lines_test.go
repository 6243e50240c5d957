package human

import "testing"

func TestAPositionIsCountedAsPeopleCount(t *testing.T) {
	lines := LinesOf([]byte("ab\n\n中c\n"))
	for offset, want := range map[int][2]int{
		-1: {1, 1}, 0: {1, 1}, 1: {1, 2}, 2: {1, 3}, 3: {2, 1}, 4: {3, 1}, 5: {3, 1}, 6: {3, 1}, 7: {3, 2}, 8: {3, 3}, 9: {4, 1}, 99: {4, 1},
	} {
		if line, column := lines.Position(offset); [2]int{line, column} != want {
			t.Errorf("offset %d is at %d:%d, want %v", offset, line, column, want)
		}
	}
	if line, column := LinesOf(nil).Position(0); line != 1 || column != 1 {
		t.Errorf("nothing begins at %d:%d", line, column)
	}
}
