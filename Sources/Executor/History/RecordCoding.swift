internal import PipelineIR

/// The bytes in which a batch of records is kept: a tenth of what a row for each would cost.
///
/// Numbers are LEB128 as in protobuf; signed ones are zigzag. Times are microseconds after the job
/// began. Whatever the bytes are, decoding ends with records or an error.
enum RecordCoding {
    private static let version: UInt8 = 1
    /// Longer texts are cut.
    static let mostTextBytes = 4096
    static let mostAttempts = 1000

    private enum Field {
        static let exitCode: UInt8 = 1
        static let times: UInt8 = 2
        static let key: UInt8 = 4
        static let reason: UInt8 = 8
        static let source: UInt8 = 16
    }

    static func encode(_ records: [StepRecord], since start: Timestamp) -> [UInt8] {
        var writer = Writer(start: start)
        writer.bytes.reserveCapacity(records.count * 64)
        writer.bytes.append(version)
        writer.number(UInt64(records.count))
        for record in records { writer.record(record) }
        return writer.bytes
    }

    static func decode(_ bytes: [UInt8], since start: Timestamp) -> [StepRecord]? {
        var reader = Reader(bytes: bytes, start: start)
        guard reader.byte() == version, let count = reader.number(), count <= bytes.count else {
            return nil
        }
        var records: [StepRecord] = []
        records.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let record = reader.record() else { return nil }
            records.append(record)
        }
        return records
    }

    /// The last record of one step; `nil` when there is none, or the bytes cannot be read.
    static func last(
        of step: Int, in bytes: [UInt8], since start: Timestamp
    ) -> StepRecord? {
        var reader = Reader(bytes: bytes, start: start)
        guard reader.byte() == version, let count = reader.number() else { return nil }
        var found: StepRecord?
        for _ in 0..<count {
            guard let record = reader.record() else { break }
            if record.step == step { found = record }
        }
        return found
    }

    private struct Writer {
        let start: Timestamp
        var bytes: [UInt8] = []

        mutating func number(_ number: UInt64) {
            var rest = number
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
        }

        mutating func signed(_ value: Int64) {
            number(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
        }

        mutating func time(_ time: Timestamp) {
            signed(time.microseconds &- start.microseconds)
        }

        mutating func text(_ text: String) {
            let bytes = text.utf8.prefix(mostTextBytes)
            number(UInt64(bytes.count))
            self.bytes.append(contentsOf: bytes)
        }

        mutating func record(_ record: StepRecord) {
            var fields: UInt8 = 0
            if record.exitCode != nil { fields |= Field.exitCode }
            if record.started != nil || record.ended != nil { fields |= Field.times }
            if record.key != nil { fields |= Field.key }
            if !record.reason.isEmpty { fields |= Field.reason }
            if record.source != nil { fields |= Field.source }
            number(UInt64(max(0, record.step)))
            bytes.append(record.state.rawValue)
            bytes.append(fields)
            if let code = record.exitCode { signed(Int64(code)) }
            if fields & Field.times != 0 {
                time(record.started ?? record.ended ?? start)
                time(record.ended ?? record.started ?? start)
            }
            if let key = record.key { bytes.append(contentsOf: key.bytes) }
            if !record.reason.isEmpty { text(record.reason) }
            if let source = record.source { text(source.text) }
            number(record.outputBytes)
            let attempts = record.attempts.suffix(mostAttempts)
            number(UInt64(attempts.count))
            for attempt in attempts {
                time(attempt.started)
                time(attempt.ended)
                // One more than the code, so that 0 is none.
                signed(attempt.exitCode.map { Int64($0) &+ 1 } ?? 0)
                text(attempt.outcome)
            }
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        let start: Timestamp
        var position = 0

        mutating func byte() -> UInt8? {
            guard position < bytes.count else { return nil }
            position += 1
            return bytes[position - 1]
        }

        mutating func number() -> UInt64? {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 64, by: 7) {
                guard let byte = byte() else { return nil }
                value |= UInt64(byte & 0x7f) << shift
                if byte < 0x80 { return value }
            }
            return nil
        }

        mutating func signed() -> Int64? {
            number().map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
        }

        mutating func time() -> Timestamp? {
            signed().map { Timestamp(microseconds: start.microseconds &+ $0) }
        }

        mutating func take(_ count: UInt64) -> ArraySlice<UInt8>? {
            guard count <= UInt64(bytes.count - position) else { return nil }
            defer { position += Int(count) }
            return bytes[position..<position + Int(count)]
        }

        mutating func digest() -> Digest? {
            guard bytes.count - position >= Digest.byteCount else { return nil }
            defer { position += Digest.byteCount }
            return bytes.withUnsafeBytes {
                Digest(
                    raw: UnsafeRawBufferPointer(rebasing: $0[position...].prefix(Digest.byteCount)))
            }
        }

        mutating func text() -> String? {
            if position < bytes.count, bytes[position] == 0 {
                position += 1
                return ""
            }
            guard let count = number(), let part = take(count) else { return nil }
            return String(decoding: part, as: UTF8.self)
        }

        mutating func record() -> StepRecord? {
            guard let step = number(), step <= UInt32.max, let word = byte(),
                let state = StepRecord.State(rawValue: word), let fields = byte()
            else { return nil }
            var record = StepRecord(step: Int(step), state: state)
            if fields & Field.exitCode != 0 {
                guard let code = signed() else { return nil }
                record.exitCode = Int(code)
            }
            if fields & Field.times != 0 {
                guard let started = time(), let ended = time() else { return nil }
                record.started = started
                record.ended = ended
            }
            if fields & Field.key != 0 {
                guard let key = digest() else { return nil }
                record.key = key
            }
            if fields & Field.reason != 0 {
                guard let reason = text() else { return nil }
                record.reason = reason
            }
            if fields & Field.source != 0 {
                guard let source = text() else { return nil }
                record.source = JobID(source)
            }
            guard let size = number(), let count = number(), count <= mostAttempts else {
                return nil
            }
            record.outputBytes = size
            for _ in 0..<count {
                guard let started = time(), let ended = time(), let code = signed(),
                    let outcome = text()
                else { return nil }
                record.attempts.append(
                    AttemptRecord(
                        started: started, ended: ended,
                        exitCode: code == 0 ? nil : Int(code &- 1), outcome: outcome))
            }
            return record
        }
    }
}
