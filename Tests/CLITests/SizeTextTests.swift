import Testing

@testable import CLI

@Suite("sizes, ages and short keys")
struct SizeTextTests {
    @Test(
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (3001, "2.9 KiB"),
            (10_240, "10 KiB"), (1_048_166, "1.0 MiB"), (1_048_576, "1.0 MiB"),
            (10 << 30, "10 GiB"), (Int64.max, "8192 PiB"), (-1, "0 B"),
        ] as [(Int64, String)])
    func `a size has two or three digits`(_ bytes: Int64, _ words: String) {
        #expect(SizeText.bytes(bytes) == words)
    }

    @Test(
        arguments: [
            (0, "now"), (40, "40 s"), (3599, "59 min"), (7200, "2 h"), (90_000, "1 day"),
            (864_000, "10 days"), (-50, "now"),
        ] as [(Int64, String)])
    func `an age has one unit`(_ seconds: Int64, _ words: String) {
        #expect(SizeText.age(of: 1_000_000, now: 1_000_000 + seconds) == words)
    }

    @Test func `keys are as long as tells them apart`() {
        #expect(CacheReport.digits(["aaaaaaaaaaaa1", "b"]) == 8)
        #expect(CacheReport.digits(["aaaaaaaaaaaa1", "b", "aaaaaaaaaaaa2"]) == 13)
        #expect(CacheReport.digits([]) == 8)
    }
}
