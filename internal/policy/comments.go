package policy

import "bytes"

// withoutComments is text with blanks in place of its // comments, so that everything else stays where it was. Tencent
// Cloud's own pages print policies with them. first and last are where the first and the last comment begin, -1 if
// there is none.
func withoutComments(text []byte) (clean []byte, first, last int) {
	clean, first, last = text, -1, -1
	inString := false
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\n': // no string goes on behind it
			inString = false
		case inString && text[i] == '\\':
			i++
		case text[i] == '"':
			inString = !inString
		case !inString && bytes.HasPrefix(text[i:], []byte("//")):
			if first < 0 {
				first, clean = i, bytes.Clone(text)
			}
			last = i
			for ; i < len(text) && text[i] != '\n' && text[i] != '\r'; i++ {
				clean[i] = ' '
			}
			i-- // the line's end is looked at as well
		}
	}
	return clean, first, last
}
