package human

// DidYouMean is the end of an error about an unknown word: the candidate that was probably meant, or nothing.
func DidYouMean(word string, candidates []string) string {
	if near := Nearest(word, candidates); near != "" {
		return "; did you mean " + Quote(near) + "?"
	}
	return ""
}

// Nearest is the candidate that word was probably meant to be, "" if none is near enough: the one with the fewest
// letters to insert, delete, replace or swap with their neighbour. Of those equally near it is the likelier one, else
// the first. Where none is near it is the shortest that begins with word.
func Nearest(word string, candidates []string) string {
	word = lower(word)
	best, least := "", 1+(len(word)+1)/3
	for _, c := range candidates {
		d := distance(word, lower(c))
		if d < least || d == least && best != "" && likelier(word, lower(c), lower(best)) {
			best, least = c, d
		}
	}
	if best != "" || len(word) < 2 {
		return best
	}
	for _, c := range candidates {
		if beginning(word, lower(c)) == len(word) && (best == "" || len(c) < len(best)) {
			best = c
		}
	}
	return best
}

// likelier reports whether a rather than b was meant by word, which is equally near to both. Hands swap letters and
// stop too early more often than they hit a wrong key, and the first letters are the ones that they get right.
func likelier(word, a, b string) bool {
	if swapped := sameLetters(word, a); swapped != sameLetters(word, b) {
		return swapped
	}
	inA, inB := beginning(word, a), beginning(word, b)
	if cut := inA == len(word); cut != (inB == len(word)) {
		return cut
	}
	return inA > inB
}

// sameLetters reports whether a and b hold the same letters in another order.
func sameLetters(a, b string) bool {
	var count [256]int
	for i := 0; i < len(a); i++ {
		count[a[i]]++
	}
	for i := 0; i < len(b); i++ {
		count[b[i]]--
	}
	return count == [256]int{}
}

// beginning is how many letters a and b begin with alike.
func beginning(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// lower is text with its ASCII capitals made small.
func lower(text string) string {
	small := []byte(text)
	for i, c := range small {
		if 'A' <= c && c <= 'Z' {
			small[i] = c + 'a' - 'A'
		}
	}
	return string(small)
}

// distance counts the letters to insert, delete, replace or swap with their neighbour to turn a into b.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 { // no name is longer
		return len(a) + len(b)
	}
	var d [65][65]int
	for i := range len(a) + 1 {
		for j := range len(b) + 1 {
			if i == 0 || j == 0 {
				d[i][j] = i + j
				continue
			}
			replaced := d[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
