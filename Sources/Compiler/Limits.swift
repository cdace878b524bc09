/// Bounds on one evaluation. Every one has a diagnostic (DNB8xx, DNB202) that names it.
package struct Limits: Sendable, Equatable {
    /// From starting the evaluator to its last byte.
    package var wallClock: Duration = .seconds(5)
    /// Memory of the evaluator, in bytes.
    package var memoryBytes = 512 << 20
    /// Steps of one plan.
    package var steps = 100_000
    /// Evaluations of the file for decisions that depend on each other.
    package var paths = 256
    /// What the evaluator may send in all, in bytes.
    package var resultBytes = 64 << 20
    /// Blocks, matrices and values within each other.
    package var nesting = 64
    /// What the danubefile may print, in bytes.
    package var outputBytes = 1 << 20

    /// One frame in either direction, in bytes after the length.
    package static let frameBytes = 16 << 20
    /// One file of the repository. A little less than a frame, so that the answer fits in one.
    package static let fileBytes = (16 << 20) - 4096
    /// Names in one folder.
    package static let listingNames = 100_000
    /// Different paths that one evaluation may ask for.
    package static let reads = 200_000
    /// Those paths together, in bytes.
    package static let readPathBytes = 16 << 20
    /// A path of the repository, in bytes; that of Linux.
    package static let pathBytes = 4095
    /// Requests of one evaluation that are answered.
    package static let requests = 1_000_000

    /// Creates the bounds of a pipeline that needs nothing unusual.
    package init() {}
}
