/// What the JUnit reports among the artifacts of a job say.
struct TestReports {
    /// The most files that are read.
    private static let mostFiles = 10_000
    /// The most failing tests that are named.
    private static let mostNames = 100

    private(set) var total = 0
    private(set) var failed = 0
    private(set) var skipped = 0
    /// Failing tests by name.
    private(set) var failures: [String] = []
    /// Files that are no reports, with why.
    private(set) var problems: [(path: String, reason: String)] = []

    /// Reads reports: files, or folders of files whose names end with `.xml`.
    init(_ places: [String]) {
        for place in places { read(place) }
    }

    private mutating func read(_ place: String) {
        let folder: Folder
        let scan: TreeScan
        do {
            let parts = place.split(separator: "/")
            guard let name = parts.last else { return }
            folder = try Folder("/" + parts.dropLast().joined(separator: "/"))
            scan = try TreeScan(folder, [Glob(String(name))], most: Self.mostFiles)
        } catch {
            return problems.append((place, "\(error)"))
        }
        for found in scan.found where found.stamp.kind == .file {
            let path = "\(folder.path)/\(found.path.text)"
            if scan.found.count > 1, !path.hasSuffix(".xml") { continue }
            guard let bytes = AtomicFile.read(path, most: Int64(JUnitReport.mostBytes)) else {
                problems.append((path, "it cannot be read, or is too large"))
                continue
            }
            do { add(try JUnitReport(bytes)) } catch {
                problems.append((path, "\(error)"))
            }
        }
    }

    private mutating func add(_ report: JUnitReport) {
        total += report.testCount
        failed += report.failureCount + report.errorCount
        skipped += report.skippedCount
        for failure in report.failures where failures.count < Self.mostNames {
            let name = failure.suite.isEmpty ? failure.name : "\(failure.suite) \(failure.name)"
            failures.append(failure.message.isEmpty ? name : "\(name): \(failure.message)")
        }
    }
}
