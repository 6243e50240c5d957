package policy

import (
	"strings"
	"testing"
)

func TestResourcesAreToldWhichSegmentTheyLack(t *testing.T) {
	for resource, want := range map[string]string{
		"arn:aws:s3:::bucket/*":                                "is an AWS name",
		"bucket/*":                                             "begin with qcs: six segments",
		"QCS::cos:ap-guangzhou::b":                             "begin with qcs:",
		"qcs：：cos:a:b:c":                                       "full-width colon",
		"qcs:cos:ap-guangzhou:uid/1250000000:bucket/*":         "missing: project",
		"qcs::cos:uid/1250000000:bucket/*":                     "missing: region",
		"qcs::cos:uid/1250000000:uid/a":                        "missing: region",
		"qcs::uid/1250000000:bucket/*":                         "missing: service, region",
		"qcs:cos:uid/1250000000":                               "missing: project, region, resource",
		"qcs::cos:ap-guangzhou:bucket/*":                       "missing: account",
		"qcs:cos:ap-guangzhou::bucket/*":                       "missing: project",
		"qcs::cos:ap-guangzhou:uid/1250000000":                 "missing: resource",
		"qcs::cos":                                             "missing: region, account, resource",
		"qcs":                                                  "missing: project, service, region, account, resource",
		"qcs::cos:ap-guangzhou:uid/1250000000:":                "without its last segment",
		"qcs::cos:ap-guangzhou:1250000000:bucket-1250000000/*": "neither uin/ nor uid/ write uid/1250000000:",
		"qcs::cos:ap-guangzhou:uid/:bucket/*":                  "has no number after uid/ goes the APPID",
		"qcs::cvm:ap-guangzhou:uin/:instance/*":                "has no number root account's number",
		"qcs::cos:ap-guangzhou:uid/1000000001:b*/*":            "warning looks like an account's uin",
		"qcs::cos:ap-guangzhou:uid/100000000001:bucket-1250000000/*": "warning looks like an account's uin " +
			"after uid/ goes the APPID",
		"qcs::cos:ap-guangzhou:uid/1250000001:bucket-1250000000/a/b*": "warning is not the APPID 1250000000",
	} {
		t.Run(resource, func(t *testing.T) {
			where := "1:90 "
			if rest, ok := strings.CutPrefix(want, "warning "); ok {
				where, want = "warning "+where, rest
			}
			got := Check([]byte(on(resource)))
			expect(t, got, []string{where + want})
			if strings.HasPrefix(want, "missing: ") && !strings.HasSuffix(got[0].Message, "; "+want) {
				t.Errorf("got %q, want %q", got[0].Message, want)
			}
		})
	}
}

// What STS takes, or may take, and what yet does not say what its author meant. The action is GetObject.
func TestAResourceThatIsHardlyMeantIsAWarning(t *testing.T) {
	for resource, want := range map[string][]string{
		// the bucket
		"qcs::cos:ap-guangzhou:uid/1250000000:bucket/*": {
			`bucket "bucket" ends without its APPID write "bucket-1250000000"`},
		"qcs::cos:ap-guangzhou:uid/1250000000:logs-2024/a/*":       {`"logs-2024" without write "logs-2024-1250000000"`},
		"qcs::cos:ap-guangzhou:uid/*:bucket/*":                     {`"bucket" without its APPID like bucket-1250000000`},
		"qcs::cos:ap-guangzhou::bucket-1/*":                        {`"bucket-1" without its APPID like bucket-1250000000`},
		"qcs::cos:ap-guangzhou:*:bucket.cos.x.com/*":               {`"bucket" without its APPID`},
		"qcs::cos:ap-guangzhou:uid/1250000000:/a/*":                {"names no bucket before the first /"},
		"qcs::cos:ap-guangzhou:uid/1250000000:prefix//1250000000/": {"names no bucket"},
		"qcs::cos::uid/1250000000:<bucket>-1250000000/*":           {`"<bucket>-1250000000" is a placeholder`},
		"qcs::cos::uid/1250000000:${bucket}/*":                     {`"${bucket}" is a placeholder`},
		"qcs::cos::uid/1250000000:$bucket-$appid/*":                {"is a placeholder"},
		"qcs::cos::uid/1250000000:{bucket-appid}/*":                {"is a placeholder"},
		"qcs::cos::uid/1250000000:YOUR_BUCKET-1250000000/*":        {"is a placeholder"},
		"qcs::cos::uid/1250000000:BucketName-APPID/*":              {`"BucketName-APPID" without its APPID`},
		"qcs::ci::uid/1250000000:bucket/examples/*":                {`bucket "examples" without write "examples-1250000000"`},
		// the account
		"qcs::cos::uin/100000000001:b-1250000000/*":           {`"uin/100000000001": cos APPID write uid/1250000000:`},
		"qcs::cos::uin/100000000001:b-1250000000.cos.x.com/*": {"write uid/1250000000:"},
		"qcs::cos::uin/*:b-1250000000/*":                      {"APPID write uid/1250000000:"},
		"qcs::cas::uin/100000000001:vault/a":                  {"cas APPID after uid/"},
		"qcs::cos::uid/100000000001:*":                        {"like an account's uin after uid/"},
		"qcs::cos::uid/1250000001:prefix//1250000000/b/*":     {"is not the APPID 1250000000 write uid/1250000000:"},
		"qcs::ci::uid/1250000001:bucket/b-1250000000/*":       {"is not the APPID 1250000000"},
		"qcs::cos::uid/<APPID>:b-1250000000/*":                {`"uid/<APPID>" is not an APPID write uid/1250000000:`},
		"qcs::cos::uid/${appid}:b-1250000000/*":               {`"uid/${appid}" is not an APPID`},
		"qcs::cos::uid/${app_id}:b-1250000000/*":              {"is not an APPID"},
		"qcs::cos::uid/YOUR_APPID:b-1250000000/*":             {"is not an APPID"},
		"qcs::cos::uid/APPID:b-1250000000/*":                  {"is not an APPID"},
		"qcs::cos::uid/125xxx8757:b-1250000000/*":             {"is not an APPID"},
		"qcs::cos::uid/<APPID>:bucket-<APPID>/*":              {"is not an APPID after uid/", "is a placeholder"},
		"qcs::cvm::uin/<uin>:instance/*":                      {`"uin/<uin>" is not the number leave it empty`},
		"qcs::cvm::uin/xxxxxx:instance/*":                     {"is not the number"},
		"qcs::cos:ap-guangzhou:uid/100000000001:bucket/upload/": {
			"like an account's uin", "without its APPID like bucket-1250000000", "one object"},
		// the region
		"qcs::cos:guangzhou:uid/1250000000:b-1250000000/*":      {`no region "guangzhou" write ap-guangzhou, or empty`},
		"qcs::cos:cn-guangzhou:uid/1250000000:b-1250000000/*":   {"write ap-guangzhou,"},
		"qcs::cos:AP-Guangzhou:uid/1250000000:b-1250000000/*":   {"write ap-guangzhou,"},
		"qcs::cos:ap_beijing_1:uid/1250000000:b-1250000000/*":   {"write ap-beijing-1,"},
		"qcs::cos:ap-guangzho:uid/1250000000:b-1250000000/*":    {"write ap-guangzhou,"},
		"qcs::cos:ap-gaungzhou:uid/1250000000:b-1250000000/*":   {"write ap-guangzhou,"},
		"qcs::cos:ap-shangahi:uid/1250000000:b-1250000000/*":    {"write ap-shanghai,"},
		"qcs::cos:us-ashburn:uid/1250000000:b-1250000000/*":     {"write na-ashburn,"},
		"qcs::cos:siliconvalley::b-1250000000/*":                {"write na-siliconvalley,"},
		"qcs::cos:us-east-1:uid/1250000000:b-1250000000/*":      {`no region "us-east-1" one like ap-guangzhou`},
		"qcs::cos:ap-southeast-1::b-1250000000/*":               {"no region"},
		"qcs::cos:guangzhou-" + strings.Repeat("a", 40) + "::*": {"one like ap-guangzhou"},
		"qcs::cos:广州:uid/1250000000:b-1250000000/*":             {`no region "广州"`},
		"qcs::cos:<region>:uid/1250000000:b-1250000000/*":       {`no region "<region>"`},
		"qcs::cos:${Region}:uid/1250000000:b-1250000000/*":      {"no region"},
		"qcs::cos:region:uid/1250000000:b-1250000000/*":         {"no region"},
		"qcs::cos:all:uid/1250000000:b-1250000000/*":            {"no region leave it empty for all"},
		"qcs::cvm:Shanghai::instance/*":                         {"write ap-shanghai,"},
		// what it is about
		"qcs::cos::uid/1250000000:b-1250000000":           {"is the bucket, not the objects end it with /*"},
		"qcs::cos::uid/1250000000:b-1250000000/":          {"is the bucket, not the objects end it with /*"},
		"qcs::cos::uid/1250000000:b-1250000000/a/":        {"is the one object of that name end it with /*"},
		"qcs::cos::uid/1250000000:prefix//1250000000/b":   {"is the bucket"},
		"qcs::cos::uid/1250000000:prefix//1250000000/b/":  {"is the bucket"},
		"qcs::cos::uid/1250000000:b-1250000000/<user>/*":  {`placeholder "<user>"`},
		"qcs::cos::uid/1250000000:b-1250000000/${name}/*": {`placeholder "${name}"`},
		"qcs::cos::uid/1250000000:b-1250000000/${uin}/*":  {`has "${uin}", which CAM fills in nowhere`},
		"qcs::cvm:::instance/<id>":                        {`placeholder "<id>"`},
		"qcs::cmqqueue:::queueName/uin/${uin}/<id>":       {`placeholder "<id>"`},
		"qcs:::ap-guangzhou:uid/1250000000:a/*":           {"names no service like cos"},
	} {
		t.Run(resource, func(t *testing.T) {
			for i := range want {
				want[i] = "warning 1:90 " + want[i]
			}
			expect(t, Check([]byte(on(resource))), want)
		})
	}
}

// What COS's actions want of a resource depends on them.
func TestAFolderIsNoMistakeForABucketsActionsOrBesideWhatIsInIt(t *testing.T) {
	const bucket = "qcs::cos:ap-guangzhou:uid/1250000000:b-1250000000"
	for _, test := range []struct {
		actions, resources string
		want               []string
	}{
		{`"name/cos:HeadBucket"`, `"` + bucket + `/"`, nil},
		{`"name/cos:GetBucket"`, `"` + bucket + `"`, nil},
		{`["cos:ListMultipartUploads","cos:*Bucket*","vod:*"]`, `["` + bucket + `","` + bucket + `/"]`, nil},
		{`"cvm:*"`, `"` + bucket + `/"`, nil},
		{`"cos:*"`, `["` + bucket + `/*","` + bucket + `/"]`, nil},
		{`"cos:*"`, `["` + bucket + `","` + bucket + `-1250000000/*","` + bucket + `/a"]`, nil},
		{`"cos:PutObject"`, `["` + bucket + `/a/","` + bucket + `/a/b/*"]`, nil},
		{`"cos:PutObject"`, `["` + bucket + `/a/*","` + bucket + `/*"]`, nil},
		{`"cos:PutObject"`, `["` + bucket + `/a","*","qcs::cvm:::instance/","qcs::cos:::*"]`, nil},
		{`"cos:*"`, `"` + bucket + `/"`, []string{"1:77 the bucket"}},
		{`"*"`, `"` + bucket + `/"`, []string{"1:73 the bucket"}},
		{`"name/*:Get*"`, `"` + bucket + `/"`, []string{"1:83 the bucket"}},
		{`["cos:GetBucket","cos:UploadPart"]`, `["` + bucket + `/","` + bucket + `-1250000000/*"]`,
			[]string{"1:105 the bucket"}},
		{`"cos:GetObject"`, `["` + bucket + `/a/","` + bucket + `/a/","` + bucket + `/b/*"]`,
			[]string{"1:86 one object", "1:141 one object"}},
	} {
		t.Run(test.actions+test.resources, func(t *testing.T) {
			for i := range test.want {
				test.want[i] = "warning " + test.want[i]
			}
			got := Check([]byte(with(`"effect":"allow","action":` + test.actions + `,"resource":` + test.resources)))
			expect(t, got, test.want)
		})
	}
}

// These are of the forms that Tencent Cloud's own pages, consoles and SDKs print, whose authors did mean them.
func TestResourcesAsTencentCloudPrintsThemAreNoMistakes(t *testing.T) {
	for _, resource := range []string{
		"qcs::cos:ap-beijing:uid/123456:prefix//123456/bucketA/*", // the STS page
		"qcs::cos:bj:uid/1238423:prefix/bucketA/*",
		"qcs::cos:gz:uid/1238423:prefix//1238423/bucketB/object2",
		"qcs::cos:ap-beijing:uid/1238423:bucketA-1238423/*",
		"qcs::cos:ap-beijing:uid/1253653367:prefix//1253653367/example/test/*",
		"qcs::cos:ap-beijing:uid/1250000000:*",
		"qcs::cos::uid/10022853:*",
		"qcs::cos::uid/1250000000:examplebucket1-1250000000/*",
		"qcs::cos:ap-guangzhou:uid/1250000000:examplebucket-1250000000.ap-guangzhou.myqcloud.com/exampleObject.txt",
		"qcs::cos:ap-shanghai-fsi:uid/1250000000:b-1250000000/中文 名：1.txt",
		"qcs::cos:cn-south:uid/1250000000:b-1250000000/a",
		"qcs::cos:*:*:b-1250000000/*",
		"qcs::cos:*:uid/*:b-*/*",
		"qcs::cos:::b-1250000000/*",
		"qcs::ci:ap-chongqing:uid/1250000000:bucket/examplebucket-1250000000/*",
		"qcs::ci::uid/1250000000:*",
		"qcs::cas::uid/1250000000:vault/*",
		"qcs::cvm:gz::instance/ins-1",
		"qcs::cvm:sh:uin/12345678:instance/ins-abcdefg",
		"qcs:id/0:cvm:ap-guangzhou:uin/10***6:instance/ins-arh4gyp2",
		"qcs::*:ap-beijing::*",
		"qcs::ssl:::*",
		"qcs::vod::uin/*:subAppId/1500050693",
		"qcs::vpc:me-saudi-arabia::eni/*",
		"qcs::cam::uin/164256472:root",
		"qcs::cam::uin/12345678:policyid/*",
		"qcs::cmqqueue::uin/1000001:queueName/uin/${uin}/*",
		"qcs::cmqtopic:::topicName/uin/${owner_uin}/*",
		"qcs::cos::uid/1250000000:b-1250000000/{{user}}/*", // a variable of tcred's
		"qcs::cos:{{region}}:uid/{{id}}:{{bucket}}/{{user}}/*",
	} {
		if got := Check([]byte(on(resource))); len(got) != 0 {
			t.Errorf("%s: %v", resource, got)
		}
	}
}
