package policy

import "testing"

func TestParse_gives_the_text_back(t *testing.T) {
	t.Parallel()
	const text = "{ \"Version\":\"2012-10-17\",\n\t\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:Get*\",\"Resource\":[\"*\"]}}\n"
	d, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Text(); got != text {
		t.Errorf("got %q, want %q", got, text)
	}
}
