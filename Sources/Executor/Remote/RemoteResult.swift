internal import PipelineIR

/// A result as a cache elsewhere has it: the `ActionResult` message of the Remote Execution API,
/// version 2, whose one output is the workspace, and whose metadata has what only Danube knows.
///
/// What comes from there is hostile: nothing in it is believed but that somebody who may write to
/// that cache said it.
struct RemoteResult: Equatable {
    /// The `Tree` message of the outputs.
    var tree: ContentStore.Blob
    /// Captured standard output.
    var captured = ""
    var log: ContentStore.Blob?
    /// The job that made it, and the step there.
    var job = ""
    var step = ""
    /// Seconds since 1970.
    var created: Int64 = 0
    var milliseconds: UInt64 = 0

    /// The most bytes of the message.
    static let mostBytes: Int64 = 4 << 20
    /// The most bytes of a name in it.
    private static let mostNameBytes = 256
    /// Who says what the metadata has, as `google.protobuf.Any` names it.
    fileprivate static let factsType = "type.googleapis.com/danube.cache.v1.ResultFacts"

    /// Reads a message; `nil` when it is none, or none that `encoded` could have made of a success.
    init?(encoded bytes: [UInt8]) {
        var tree: ContentStore.Blob?
        var outcome = RemoteResult(tree: ContentStore.Blob(digest: Digest(of: []), size: 0))
        var reader = WireReader(bytes[...])
        while let (number, value) = reader.next() {
            switch (number, value) {
            case (3, .bytes(let folder)):
                guard tree == nil, let found = Self.tree(folder) else { return nil }
                tree = found
            case (4, .number(let code)): if code != 0 { return nil }
            case (5, .bytes(let text)):
                guard let text = String(validating: text, as: UTF8.self) else { return nil }
                outcome.captured = text
            case (9, .bytes(let metadata)): guard outcome.take(metadata) else { return nil }
            default: break
            }
        }
        guard reader.isValid, let tree else { return nil }
        outcome.tree = tree
        self = outcome
    }

    private init(tree: ContentStore.Blob) { self.tree = tree }

    private static func tree(_ folder: ArraySlice<UInt8>) -> ContentStore.Blob? {
        var found: ContentStore.Blob?
        var reader = WireReader(folder)
        while let (number, value) = reader.next() {
            switch (number, value) {
            case (1, .bytes(let path)): if !path.isEmpty { return nil }
            case (3, .bytes(let digest)): found = blob(digest)
            default: break
            }
        }
        return reader.isValid ? found : nil
    }

    private static func blob(_ message: ArraySlice<UInt8>) -> ContentStore.Blob? {
        Digest.fromWire(message).map { ContentStore.Blob(digest: $0.0, size: $0.1) }
    }

    private mutating func take(_ metadata: ArraySlice<UInt8>) -> Bool {
        var reader = WireReader(metadata)
        while let (number, value) = reader.next() {
            guard case .bytes(let bytes) = value else { continue }
            switch number {
            case 1: job = Self.name(bytes)
            case 4: created = Int64(bitPattern: Self.numbers(bytes).first)
            case 11: take(facts: bytes)
            case 12:
                let (seconds, nanoseconds) = Self.numbers(bytes)
                milliseconds =
                    min(seconds, 1 << 40) &* 1000 &+ min(nanoseconds, 999_999_999) / 1_000_000
            default: break
            }
        }
        return reader.isValid
    }

    private mutating func take(facts any: ArraySlice<UInt8>) {
        var type: ArraySlice<UInt8> = []
        var facts: ArraySlice<UInt8> = []
        var reader = WireReader(any)
        while let (number, value) = reader.next() {
            switch (number, value) {
            case (1, .bytes(let bytes)): type = bytes
            case (2, .bytes(let bytes)): facts = bytes
            default: break
            }
        }
        guard reader.isValid, type.elementsEqual(Self.factsType.utf8) else { return }
        var inner = WireReader(facts)
        while let (number, value) = inner.next() {
            switch (number, value) {
            case (1, .bytes(let bytes)): step = Self.name(bytes)
            case (2, .bytes(let digest)): log = Self.blob(digest)
            default: break
            }
        }
    }

    /// Fields 1 and 2 of a `Timestamp` or `Duration`.
    private static func numbers(_ message: ArraySlice<UInt8>) -> (first: UInt64, second: UInt64) {
        var numbers: (first: UInt64, second: UInt64) = (0, 0)
        var reader = WireReader(message)
        while let (number, value) = reader.next() {
            guard case .number(let found) = value else { continue }
            if number == 1 { numbers.first = found }
            if number == 2 { numbers.second = found }
        }
        return numbers
    }

    /// A name that can be shown: what a terminal would act upon is left out.
    private static func name(_ bytes: ArraySlice<UInt8>) -> String {
        let text = String(decoding: bytes.prefix(mostNameBytes), as: UTF8.self)
        let shown = text.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f }
        return String(String.UnicodeScalarView(shown))
    }
}

extension ActionResult {
    /// The result as a cache elsewhere keeps it, and the `Tree` message that it speaks of.
    package func wire() -> (message: [UInt8], tree: [UInt8]) {
        let encoded = outputs.encoded()
        var folder = WireWriter()
        folder.field(3, Digest(of: encoded.tree).wire(size: Int64(encoded.tree.count)))
        folder.field(4, 1)
        folder.field(5, encoded.root.digest.wire(size: Int64(encoded.root.bytes.count)))
        var writer = WireWriter()
        writer.field(3, folder.bytes)
        writer.field(5, (captured ?? "").utf8)
        writer.field(9, metadata)
        return (writer.bytes, encoded.tree)
    }

    /// The `ExecutedActionMetadata` message.
    private var metadata: [UInt8] {
        var facts = WireWriter()
        facts.field(1, step.utf8)
        if let log { facts.field(2, log.digest.wire(size: log.size)) }
        var any = WireWriter()
        any.field(1, RemoteResult.factsType.utf8)
        any.field(2, facts.bytes)
        var completed = WireWriter()
        completed.field(1, UInt64(bitPattern: created))
        var duration = WireWriter()
        duration.field(1, durationMilliseconds / 1000)
        duration.field(2, durationMilliseconds % 1000 * 1_000_000)
        var metadata = WireWriter()
        metadata.field(1, job.utf8)
        metadata.field(4, completed.bytes)
        metadata.field(11, any.bytes)
        metadata.field(12, duration.bytes)
        return metadata.bytes
    }
}
