/// The keys of one kind of object. The raw value is the key.
protocol SchemaKey: RawRepresentable, CaseIterable, Sendable, Hashable where RawValue == String {
    /// The keys, made once.
    static var table: KeyTable<Self> { get }
}

/// The keys of one kind of object, as arrays. At most 64.
struct KeyTable<Key: SchemaKey>: Sendable {
    let cases: [Key]
    let names: [String]

    init() {
        cases = Array(Key.allCases)
        names = cases.map(\.rawValue)
    }
}

/// Reads the keys of one object: each at most once and none that the schema does not have.
struct ObjectKeys<Key: SchemaKey> {
    private let table: KeyTable<Key>
    private var seen: UInt64 = 0
    private var expected = 0
    private let start: Int

    /// Opens the object that comes next.
    init(_ json: inout JSONReader) throws(PlanError) {
        table = Key.table
        _ = try json.peek()
        start = json.offset
        try json.beginObject()
    }

    /// The next key, or `nil` once the object is closed.
    mutating func next(_ json: inout JSONReader) throws(PlanError) -> Key? {
        guard let name = try json.nextKey() else { return nil }
        // Keys of the canonical form ascend, so the next one is near the one before.
        for turn in 0..<table.names.count {
            var position = expected + turn
            if position >= table.names.count { position -= table.names.count }
            guard table.names[position] == name else { continue }
            if seen >> UInt64(position) & 1 == 1 {
                throw json.error(.schema, "The key `\(name)` stands twice in one object.")
            }
            seen |= 1 << UInt64(position)
            expected = position + 1 == table.names.count ? 0 : position + 1
            return table.cases[position]
        }
        throw json.error(
            .schema, "There is no key `\(name.prefix(64))` here.",
            hint: Spelling.hint(for: name, among: table.names))
    }

    /// Checks that the object, which is closed, had a key.
    func require(_ keys: Key..., in json: JSONReader) throws(PlanError) {
        for key in keys {
            let position = table.cases.firstIndex(of: key) ?? 0
            if seen >> UInt64(position) & 1 == 0 {
                throw json.error(.schema, "The key `\(key.rawValue)` is missing.", at: start)
            }
        }
    }
}

/// Did-you-mean.
package enum Spelling {
    /// The name that is nearest to a misspelt one, when it is near enough to be meant.
    package static func nearest(to word: String, among names: some Sequence<String>) -> String? {
        let letters = Array(word.unicodeScalars.prefix(65))
        guard letters.count <= 64 else { return nil }
        let bound = max(1, letters.count / 3)
        var best: (distance: Int, name: String)?
        for name in names {
            let distance = distance(letters, Array(name.unicodeScalars.prefix(65)))
            if distance <= bound, distance < best?.distance ?? .max { best = (distance, name) }
        }
        return best?.name
    }

    static func hint(for word: String, among names: [String]) -> String {
        if let name = nearest(to: word, among: names) { return "Did you mean `\(name)`?" }
        return "Known keys: " + names.joined(separator: ", ") + "."
    }

    /// Insertions, deletions, replacements and swaps of neighbours that make one of the other
    /// (optimal string alignment).
    private static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
        var before: [Int] = []
        var row = Array(0...b.count)
        for i in 1...a.count {
            var next = [i]
            for j in 1...b.count {
                let same = a[i - 1] == b[j - 1]
                var cost = min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (same ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    cost = min(cost, before[j - 2] + 1)
                }
                next.append(cost)
            }
            before = row
            row = next
        }
        return row[b.count]
    }
}
