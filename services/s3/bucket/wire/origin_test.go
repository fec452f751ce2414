package wire

import "testing"

func TestOriginOf(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, domain, path, want string }{
		{"regional", "media.s3.eu-west-1.amazonaws.com", "", "media"},
		{"global", "media.s3.amazonaws.com", "/static", "media"},
		{"older", "media.s3-us-west-2.amazonaws.com", "", "media"},
		{"website", "media.s3-website-us-east-1.amazonaws.com", "", "media"},
		{"dual_stack", "media.s3.dualstack.us-east-1.amazonaws.com", "", "media"},
		{"in_capitals_with_a_dot", "Media.S3.EU-West-1.AmazonAWS.com.", "", "media"},
		{"china", "media.s3.cn-north-1.amazonaws.com.cn", "", "media"},
		{"path_style", "s3.eu-west-1.amazonaws.com", "/media/static", "media"},
		{"path_style_global", "S3.amazonaws.com", "/media", "media"},
		{"path_style_older", "s3-us-west-2.amazonaws.com", "media", "media"},
		{"bucket_with_dots", "a.s3.b.s3.us-east-1.amazonaws.com", "", "a.s3.b"},
		{"bucket_like_the_service", "s3-media.s3.us-east-1.amazonaws.com", "/x", "s3-media"},
		{"no_bucket", "s3.us-east-1.amazonaws.com", "", ""},
		{"somebody_elses", "media.s3.example.com", "", ""},
		{"load_balancer", "web-1.us-east-1.elb.amazonaws.com", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := originOf(tt.domain, tt.path); got != tt.want {
				t.Errorf("origin %s%s: got %q, want %q", tt.domain, tt.path, got, tt.want)
			}
		})
	}
}
