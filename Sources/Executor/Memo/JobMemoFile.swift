internal import CFiles
internal import Glibc
package import PipelineIR

/// Keeps memos of jobs in files of the cache, one for each order to run.
package struct JobMemoFile {
    private static let head = Array("DNBJOB2\n".utf8)
    private static let most: Int64 = 1 << 30
    private let path: String
    private let key: Digest

    /// The file for jobs of one plan in one working copy. `key` is a digest of all that decides
    /// what a job does beside the files.
    package init(cacheFolder: String, key: Digest) {
        path = "\(cacheFolder)/jobs/\(key.hex)"
        self.key = key
    }

    /// Reads the memo; `nil` when there is none, or none that can be relied on.
    package func read() -> JobMemo? {
        guard let bytes = AtomicFile.read(path, most: Self.most),
            bytes.count > Self.head.count + Digest.byteCount
        else { return nil }
        let body = bytes[..<(bytes.count - Digest.byteCount)]
        guard body.starts(with: Self.head),
            Self.sum(body).elementsEqual(bytes[body.endIndex...])
        else { return nil }
        return body.withUnsafeBytes { JobMemo(bytes: $0, from: Self.head.count) }
    }

    /// Keeps a memo. Nothing is lost when the disk does not take it.
    package func write(_ memo: JobMemo) throws {
        var bytes = Self.head
        memo.append(to: &bytes)
        bytes += Self.sum(bytes[...])
        try AtomicFile.write(bytes, to: path)
    }

    /// Removes the memo: what it says may not be so any more.
    package func remove() { unlink(path) }

    /// A check against what a power cut or another program did to the file; not against malice,
    /// as whoever can write here can write the results too.
    private static func sum(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        bytes.withUnsafeBytes { raw in
            var hasher = DigestHasher()
            hasher.update(raw)
            return hasher.finalize().bytes
        }
    }
}

extension JobMemo {
    func append(to bytes: inout [UInt8]) {
        let settled = unsettled.sorted()
        bytes.reserveCapacity(
            bytes.count + 1024 + records.count * MemoryLayout<danube_record>.stride + paths.count
                + 4 * (begins.count + references.count + settled.count))
        for count in [
            job.utf8.count, stepCount, records.count, paths.count, begins.count, references.count,
            settled.count, pipeline.utf8.count, source == nil ? 0 : Digest.byteCount,
        ] {
            Self.append([UInt64(count)], to: &bytes)
        }
        bytes += Array(job.utf8) + Array(pipeline.utf8)
        bytes += digest.digest.bytes
        bytes += source?.bytes ?? []
        Self.append(records, to: &bytes)
        Self.append(paths, to: &bytes)
        Self.append(begins, to: &bytes)
        Self.append(references, to: &bytes)
        Self.append(settled, to: &bytes)
    }

    private static func append<Element: BitwiseCopyable>(
        _ elements: [Element], to bytes: inout [UInt8]
    ) {
        elements.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    /// Reads what `append` wrote; `nil` when any reference leads out of it.
    init?(bytes: UnsafeRawBufferPointer, from start: Int) {
        var offset = start
        func take<Element: BitwiseCopyable>(_ count: UInt64, _: Element.Type) -> [Element]? {
            let (size, overflow) = Int(truncatingIfNeeded: count)
                .multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
            guard count <= UInt64(Int32.max), !overflow, size <= bytes.count - offset else {
                return nil
            }
            defer { offset += size }
            return [Element](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
                UnsafeMutableRawBufferPointer(buffer).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + size)]))
                initialized = Int(count)
            }
        }
        guard let counts = take(9, UInt64.self), let name = take(counts[0], UInt8.self),
            let pipeline = take(counts[7], UInt8.self),
            let plan = take(UInt64(Digest.byteCount), UInt8.self),
            let digest = Digest(bytes: plan), let source = take(counts[8], UInt8.self),
            let records = take(counts[2], danube_record.self),
            let paths = take(counts[3], CChar.self), let begins = take(counts[4], UInt32.self),
            let references = take(counts[5], UInt32.self),
            let unsettled = take(counts[6], UInt32.self), offset == bytes.count,
            counts[1] <= UInt64(Int32.max), begins.count == 2 * Int(counts[1]) + 1,
            paths.last == 0 || records.isEmpty,
            records.allSatisfy({ Int($0.path) < paths.count }),
            references.allSatisfy({ Int($0) < records.count }),
            zip(begins, begins.dropFirst()).allSatisfy({ $0 <= $1 }),
            Int(begins.last ?? 0) <= references.count
        else { return nil }
        self.init(
            job: String(decoding: name, as: UTF8.self),
            pipeline: String(decoding: pipeline, as: UTF8.self), digest: PlanDigest(digest),
            stepCount: Int(counts[1]),
            records: records, paths: paths, begins: begins, references: references,
            unsettled: Set(unsettled))
        self.source = Digest(bytes: source)
    }
}
