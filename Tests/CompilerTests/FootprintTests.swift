import Testing

@testable import Compiler

@Suite struct FootprintTests {
    /// What the index must find, the slow way: every glob with every other, component by component.
    private static func overlap(_ one: Glob, _ other: Glob) -> Bool {
        for (mine, theirs) in zip(one.components, other.components) {
            if mine.isDeep || theirs.isDeep { return true }
            if !mine.mayMatch(theirs) { return false }
        }
        return true
    }

    private static func conflict(_ one: Footprint, _ other: Footprint) -> Bool {
        let pairs = [
            (one.inputs, other.outputs), (one.outputs, other.outputs), (one.outputs, other.inputs),
        ]
        return pairs.contains { mine, theirs in
            mine.contains { glob in theirs.contains { overlap(glob, $0) } }
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `finds what comparing every pair finds`(seed: UInt64) {
        var random = SplitMix(seed: seed)
        let names = ["a", "ab", "b", "c", "*", "a*", "*b", "?", "[ab]", "**", "a*b", "."]
        func footprint() -> Footprint {
            func globs() -> [String] {
                (0..<Int.random(in: 0...2, using: &random)).map { _ in
                    (0..<Int.random(in: 1...4, using: &random))
                        .map { _ in names.randomElement(using: &random) ?? "" }
                        .joined(separator: "/")
                }
            }
            return Footprint(inputs: globs(), outputs: globs())
        }
        var index = FootprintIndex()
        var known: [Footprint] = []
        var comparisons = 0
        for step in 0..<60 as Range<Int32> {
            let next = footprint()
            let expected = known.indices.filter { Self.conflict(next, known[$0]) }.map(Int32.init)
            let found = index.conflicts(with: next, comparisons: &comparisons)
            #expect(found == Set(expected), "step \(step)")
            index.insert(next, step: step)
            known.append(next)
        }
    }

    @Test func `steps on their own files are not compared`() {
        var index = FootprintIndex()
        var comparisons = 0
        for step in 0..<50_000 as Range<Int32> {
            let footprint = Footprint(inputs: ["in/\(step)", "lib/*.h"], outputs: ["out/\(step)"])
            #expect(index.conflicts(with: footprint, comparisons: &comparisons) == [])
            index.insert(footprint, step: step)
        }
        #expect(comparisons < 50_000 * 20)
    }

    @Test func `comparisons are bounded`() {
        var index = FootprintIndex()
        var comparisons = 0
        var refused: Int32?
        for step in 0..<10_000 as Range<Int32> where refused == nil {
            let footprint = Footprint(inputs: [], outputs: ["out/\(step)*"])
            if index.conflicts(with: footprint, comparisons: &comparisons) == nil {
                refused = step
            }
            index.insert(footprint, step: step)
        }
        #expect(refused != nil)
        #expect(comparisons < FootprintIndex.comparisonLimit * 2)
    }
}

/// A small generator of numbers that are the same in every run.
private struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
