package etfjson_test

import (
	"fmt"
	"strings"
)

// accepted are JSON texts, and what encoding them as JSON again gives.
// Each exercises one rule of RFC 8259; the section is named.
var accepted = []struct{ name, json, again string }{
	// 2: grammar
	{"space around everything", " \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n", "[1,2]"},
	{"space in an object", "\n{ \"a\" : 1 , \"b\" : { } }\n", `{"a":1,"b":{}}`},
	{"scalar at the top: null", "null", "null"},
	{"scalar at the top: string", `"x"`, `"x"`},
	{"scalar at the top: integer", "7", "7"},
	{"scalar at the top: float", "7.5", "7.5"},
	// 3: values
	{"literals", "[true,false,null]", "[true,false,null]"},
	// 4: objects
	{"empty object", "{}", "{}"},
	{"empty name", `{"":0}`, `{"":0}`},
	{"names that need escapes", `{"a\"b\\c\n":1}`, `{"a\"b\\c\n":1}`},
	{"names that look like indexes", `{"0":{"1":2}}`, `{"0":{"1":2}}`},
	{"same name, last value wins", `{"a":1,"a":2}`, `{"a":2}`},
	{"same name at two levels", `{"a":{"a":1}}`, `{"a":{"a":1}}`},
	{"same name, escaped", `{"a":1,"\u0061":2}`, `{"a":2}`},
	{"same name, escaped astral", `{"😀":1,"\uD83D\ude00":2}`, `{"😀":2}`},
	{"same empty name", `{"":1,"b":2,"":3}`, `{"b":2,"":3}`},
	{"names that differ in case", `{"a":1,"A":2}`, `{"a":1,"A":2}`},
	{"names that differ in normal form", "{\"\u00e9\":1,\"e\u0301\":2}", "{\"\u00e9\":1,\"e\u0301\":2}"},
	{"names that differ by a NUL", `{"a":1,"a\u0000":2}`, `{"a":1,"a\u0000":2}`},
	// 5: arrays
	{"empty array", "[]", "[]"},
	{"empty arrays", "[[],[[]],[]]", "[[],[[]],[]]"},
	{"array of bytes", "[0,1,255]", "[0,1,255]"},
	{"array of bytes but one", "[0,1,256]", "[0,1,256]"},
	{"array of bytes but the first", "[-1,0,1]", "[-1,0,1]"},
	{"array as wide as one of bytes", "[256,[],[],[]]", "[256,[],[],[]]"},
	{"array of mixed values", `[1,"a",null,{},[],1.5]`, `[1,"a",null,{},[],1.5]`},
	// 6: numbers
	{"zero", "0", "0"},
	{"minus zero is the integer zero", "-0", "0"},
	{"minus zero as a float", "-0.0", "-0.0"},
	{"minus zero with an exponent", "-0e1", "-0.0"},
	{"a whole float stays a float", "1.0", "1.0"},
	{"an exponent makes a float", "1e3", "1000.0"},
	{"capital exponent with a sign", "1E+3", "1000.0"},
	{"negative exponent", "1e-3", "0.001"},
	{"leading zeros of an exponent", "1e0000000000000000003", "1000.0"},
	{"smallest float", "5e-324", "5e-324"},
	{"largest float", "1.7976931348623157e308", "1.7976931348623157e+308"},
	{"too small for a float is zero", "1e-400", "0.0"},
	{"too small for a float is minus zero", "-1e-400", "-0.0"},
	{"rounds to nearest", "0.1000000000000000055511151231257827", "0.1"},
	{"halfway rounds to even", "9007199254740993.0", "9007199254740992.0"},
	{"many digits of a float", "0." + strings.Repeat("3", 5000), "0.3333333333333333"},
	{"layout changes at 1e21", "[1e20,1e21]", "[100000000000000000000.0,1e+21]"},
	{"layout changes at 1e-6", "[1e-6,1e-7]", "[0.000001,1e-7]"},
	{"255 and 256", "[255,256,[]]", "[255,256,[]]"},
	{"int32 ends", "[2147483647,-2147483648,2147483648,-2147483649]", "[2147483647,-2147483648,2147483648,-2147483649]"},
	{"int64 ends", "[9223372036854775807,-9223372036854775808]", "[9223372036854775807,-9223372036854775808]"},
	{"past int64", "[9223372036854775808,-9223372036854775809]", "[9223372036854775808,-9223372036854775809]"},
	{"uint64 ends", "[18446744073709551615,18446744073709551616]", "[18446744073709551615,18446744073709551616]"},
	{"two to the 128", "340282366920938463463374607431768211456", "340282366920938463463374607431768211456"},
	{"1,024 digits", strings.Repeat("9", 1024), strings.Repeat("9", 1024)},
	{"minus 1,024 digits", "-" + strings.Repeat("9", 1024), "-" + strings.Repeat("9", 1024)},
	{"1 and 1,023 zeros", "1" + strings.Repeat("0", 1023), "1" + strings.Repeat("0", 1023)},
	// 7: strings
	{"empty string", `""`, `""`},
	{"every short escape", `"\"\\\/\b\f\n\r\t"`, `"\"\\/\b\f\n\r\t"`},
	{"escaped ASCII", `"\u0041\u007f"`, `"A` + "\x7f" + `"`},
	{"escaped NUL", `"\u0000"`, `"\u0000"`},
	{"escaped controls", `"\u001f\u000B"`, `"\u001f\u000b"`},
	{"surrogate pair", `"\uD834\uDD1E"`, `"𝄞"`},
	{"two surrogate pairs", `"\ud83d\ude00\ud83d\ude01"`, `"😀😁"`},
	{"every UTF-8 length", `"aé€😀"`, `"aé€😀"`},
	{"non-characters", `"\uFFFF\uFDD0"`, "\"\uFFFF\uFDD0\""},
	{"replacement character itself", "\"\uFFFD\"", "\"\uFFFD\""},
	{"line separators are not escaped", "\"\u2028\u2029\"", "\"\u2028\u2029\""},
	{"HTML is not escaped", `"<a href='x'>&"`, `"<a href='x'>&"`},
	{"highest code point", "\"\U0010FFFF\"", "\"\U0010FFFF\""},
	{"escape at the end", `"abc\n"`, `"abc\n"`},
	// BEAM words are no more than strings
	{"strings that are atoms elsewhere", `["nil","undefined","true","__struct__"]`, `["nil","undefined","true","__struct__"]`},
	{"the name __struct__ is a binary", `{"__struct__":"Elixir.Date"}`, `{"__struct__":"Elixir.Date"}`},
}

// rejected are texts that are no JSON, and the offset that the error names.
var rejected = []struct {
	name, json string
	offset     int
}{
	{"nothing", "", 0},
	{"only space", " \n ", 3},
	{"byte order mark", "\uFEFF{}", 0},
	{"two values", "1 2", 2},
	{"two objects", "{}{}", 2},
	{"a value and a comma", "1,", 1},
	{"a comment", "/* c */1", 0},
	{"a comment at the end", "1 // c", 2},
	{"a NUL after the value", "1\x00", 1},
	{"form feed is no space", "[\f1]", 1},
	{"vertical tab is no space", "\v1", 0},
	{"no-break space is no space", "\u00a01", 0},
	{"cut literal", "nul", 3},
	{"literal in capitals", "True", 0},
	{"longer literal", "nullx", 4},
	{"NaN", "NaN", 0},
	{"Infinity", "Infinity", 0},
	{"minus Infinity", "-Infinity", 1},
	{"undefined", "undefined", 0},
	{"bare word", "abc", 0},
	{"open array", "[", 1},
	{"open array after a value", "[1", 2},
	{"open array after a comma", "[1,", 3},
	{"comma at the end of an array", "[1,]", 2},
	{"comma at the start of an array", "[,1]", 1},
	{"only a comma", "[,]", 1},
	{"two commas", "[1,,2]", 3},
	{"no comma", "[1 2]", 3},
	{"array closed by a brace", "[1}", 2},
	{"closed twice", "[]]", 2},
	{"only a bracket", "]", 0},
	{"open object", "{", 1},
	{"open object after a name", `{"a"`, 4},
	{"open object after a colon", `{"a":`, 5},
	{"open object after a value", `{"a":1`, 6},
	{"open object after a comma", `{"a":1,`, 7},
	{"comma at the end of an object", `{"a":1,}`, 6},
	{"comma at the start of an object", `{,"a":1}`, 1},
	{"no colon", `{"a" 1}`, 5},
	{"two colons", `{"a"::1}`, 5},
	{"comma for a colon", `{"a",1}`, 4},
	{"no value", `{"a":}`, 5},
	{"no name", `{:1}`, 1},
	{"a number as a name", `{1:1}`, 1},
	{"null as a name", `{null:1}`, 1},
	{"a name without quotes", `{a:1}`, 1},
	{"a name in single quotes", `{'a':1}`, 1},
	{"object closed by a bracket", `{"a":1]`, 6},
	{"colon in an array", `["a":1]`, 4},
	{"leading zero", "01", 1},
	{"leading zeros in an array", "[00]", 2},
	{"minus alone", "-", 1},
	{"minus and space", "- 1", 1},
	{"minus and a leading zero", "-01", 2},
	{"two minuses", "--1", 1},
	{"plus", "+1", 0},
	{"no digit before the point", ".5", 0},
	{"no digit after the point", "1.", 2},
	{"no digit after the point, exponent", "1.e1", 2},
	{"two points", "1.2.3", 3},
	{"empty exponent", "1e", 2},
	{"exponent of a sign", "1e+", 3},
	{"exponent with a point", "1e1.5", 3},
	{"hexadecimal", "0x10", 1},
	{"underscore", "1_000", 1},
	{"digits of another script", "١", 0},
	{"beyond a float", "1e309", 0},
	{"beyond a float, negative", "[-1e309]", 1},
	{"beyond a float by digits", strings.Repeat("9", 400) + ".0", 0},
	{"open string", `"abc`, 4},
	{"single quotes", `'a'`, 0},
	{"open escape", `"\`, 2},
	{"unknown escape", `"\x41"`, 1},
	{"escape in capitals", `"\N"`, 1},
	{"short \\u", `"\u12"`, 1},
	{"no hex digits after \\u", `"\u12G4"`, 1},
	{"capital \\U", `"\U00000041"`, 1},
	{"raw newline", "\"a\nb\"", 2},
	{"raw tab", "\"\t\"", 1},
	{"raw NUL", "\"\x00\"", 1},
	{"lone high surrogate", `"\ud800"`, 1},
	{"lone high surrogate before text", `"a\ud800bcdefgh"`, 2},
	{"lone low surrogate", `"\udc00"`, 1},
	{"two high surrogates", `"\ud800\ud800"`, 1},
	{"surrogates the wrong way round", `"\udc00\ud800"`, 1},
	{"high surrogate and an escape", `"\ud800\n12345"`, 1},
	{"lone surrogate in a name", `{"\ud800":1}`, 2},
	{"byte that never occurs", "\"a\xff\"", 2},
	{"continuation byte alone", "\"\x80\"", 1},
	{"cut sequence", "\"\xe2\x82\"", 1},
	{"overlong slash", "\"\xc0\xaf\"", 1},
	{"overlong NUL", "\"\xe0\x80\x80\"", 1},
	{"surrogate as UTF-8", "\"\xed\xa0\x80\"", 1},
	{"above U+10FFFF", "\"\xf4\x90\x80\x80\"", 1},
	{"Latin-1", "\"caf\xe9\"", 4},
	{"invalid UTF-8 in a name", "{\"\xff\":1}", 2},
	{"invalid UTF-8 between tokens", "[\xff]", 1},
	{"UTF-16", "\xff\xfe1\x00", 0},
}

// event is an API Gateway event of about 5 KB.
func event() []byte {
	var b strings.Builder
	b.WriteString(`{"version":"2.0","routeKey":"ANY /orders/{id}","rawPath":"/prod/orders/4711","rawQueryString":"a=1&b=2%20c",`)
	b.WriteString(`"cookies":["session=eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9","theme=dark"],"headers":{`)
	for i := range 40 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"x-header-%02d":"value of header %d; q=0.%d, text/html;level=1"`, i, i, i)
	}
	b.WriteString(`},"queryStringParameters":{"a":"1","b":"2 c"},"requestContext":{"accountId":"123456789012","apiId":"r3pmxmplak",`)
	b.WriteString(`"authentication":null,"authorizer":{"jwt":{"claims":{"sub":"user-4711","exp":1735689600,"admin":false},"scopes":["read","write"]}},`)
	b.WriteString(`"domainName":"id.execute-api.eu-central-1.amazonaws.com","http":{"method":"POST","path":"/prod/orders/4711","protocol":"HTTP/1.1","sourceIp":"192.0.2.1","userAgent":"Mozilla/5.0 (X11; Linux x86_64) \"agent\""},`)
	b.WriteString(`"requestId":"JKJaXmPLvHcESHA=","stage":"prod","time":"10/Mar/2026:05:16:23 +0000","timeEpoch":1773119783636},"items":[`)
	for i := range 16 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"id":%d,"name":"Artikel Größe %d","price":%d.%02d,"tags":["new","sale"],"stock":%d,"active":%t}`, 100000+i, i, i*3, i, i*7, i%2 == 0)
	}
	b.WriteString(`],"isBase64Encoded":false}`)
	return []byte(b.String())
}

// records is a list of maps of about size bytes.
func records(size int) []byte {
	var b strings.Builder
	b.WriteByte('[')
	for i := 0; b.Len() < size; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"messageId":"19dd0b57-b21e-4ac1-bd88-%012d","receiptHandle":"MessageReceiptHandle%d","body":"Hello from record %d\nline two","attributes":{"ApproximateReceiveCount":"%d","SentTimestamp":%d,"ratio":%d.25},"list":[%d,%d,300]}`,
			i, i, i, i%7, 1523232000000+int64(i), i, i, i+1)
	}
	b.WriteByte(']')
	return []byte(b.String())
}
