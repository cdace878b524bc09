/// A workspace that steps write to: a mounted folder whose topmost layer is theirs, or a copy of
/// which such a layer is made in the end.
package final class Lane {
    /// Tells it from the other lanes of the job.
    let number: Int
    /// The folder in which steps run.
    package let folder: String
    /// What is below the topmost layer.
    let base: WorkspaceState
    /// The layers that are mounted: those of `base`, of which some may be merged.
    var mounted: [Layer] = []
    /// The folder of the topmost layer.
    let upper: String
    /// Steps that ran in it, in that order.
    package internal(set) var owners: [Int] = []
    /// Set where the folder is no mount.
    var copy: LaneCopy?
    /// The state that was left, once nothing runs in it any more.
    var sealed: WorkspaceState?

    init(number: Int, folder: String, base: WorkspaceState, upper: String) {
        self.number = number
        self.folder = folder
        self.base = base
        self.upper = upper
    }
}
