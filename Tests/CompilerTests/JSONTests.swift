import Testing

@testable import Compiler

@Suite struct JSONTests {
    static let canonical: [(text: String, canonical: String)] = [
        ("null", "null"), (" [ 1 , -2.5,true ] ", "[1,-2.5,true]"),
        (#"{"b":1,"a":{"d":[],"c":{}}}"#, #"{"a":{"c":{},"d":[]},"b":1}"#),
        (#""\u0041\n\ud83d\udea2\/""#, "\"A\\u000a\u{1F6A2}/\""),
        ("9223372036854775807", "9223372036854775807"), ("1e2", "100.0"),
    ]

    @Test(arguments: canonical)
    func `a text has one canonical form`(_ text: String, _ canonical: String) throws {
        let value = try JSONText.parse(Array(text.utf8))
        #expect(value.canonical == canonical)
        #expect(try JSONText.parse(Array(canonical.utf8)).canonical == canonical)
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":1,}", "{\"a\" 1}", "{'a':1}", "01", "-", "1.", "1e", "tru", "\"a",
        "\"\\x\"", "\"\\ud800\"", "\"\n\"", "1 2", "nan", "{\"a\":1,\"a\":2}", "1e999",
    ])
    func `what is not JSON is refused`(_ text: String) {
        #expect(throws: JSONTextError.self) { _ = try JSONText.parse(Array(text.utf8)) }
    }

    @Test func `nesting is bounded`() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array(
                (String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        _ = try JSONText.parse(nested(64))
        #expect(throws: JSONTextError.self) { _ = try JSONText.parse(nested(65)) }
        #expect(throws: JSONTextError.self) { _ = try JSONText.parse(nested(100_000)) }
    }
}
