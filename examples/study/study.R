# Statistics and the figure of the example study, in R without packages:
#
#     Rscript study.R [FOLDER [FIGURE.png]]
#
# FOLDER (by default "study") holds windows.csv and trial_scores.csv, as README.md makes them.

arguments <- commandArgs(trailingOnly = TRUE)
folder <- if (length(arguments) > 0) arguments[1] else "study"
figure <- if (length(arguments) > 1) arguments[2] else file.path(folder, "figure_r.png")

# check.names = FALSE keeps names such as "score:happiness". Empty cells are missing.
read_table <- function(name) {
  read.csv(file.path(folder, name), check.names = FALSE, na.strings = c("", "NA"),
           fileEncoding = "UTF-8-BOM")
}
trials <- read_table("trial_scores.csv")
windows <- read_table("windows.csv")

failed <- unique(windows[windows$status == "failed", c("source", "error")])
for (i in seq_len(nrow(failed))) cat("not read:", failed$source[i], "\n")

# 1. Each participant's trials against the own resting face

ok <- trials[trials$status == "ok", ]
rest <- with(ok[ok$session == "rest", ], tapply(`mean:happiness`, participant, mean))
shown <- ok[!is.na(ok$condition), ]
shown$change <- shown[["mean:happiness"]] - rest[shown$participant]
people <- tapply(shown$change, list(shown$participant, shown$condition), mean)
print(round(people, 3))

# 2. A paired test over participants: never over windows or trials, which are not independent

test <- t.test(people[, "funny"], people[, "plain"], paired = TRUE)
cat(sprintf("funny - plain: %.3f, 95%% CI %.3f to %.3f, t(%d) = %.2f, p = %s, n = %d\n",
            test$estimate, test$conf.int[1], test$conf.int[2], test$parameter,
            test$statistic, format.pval(test$p.value, digits = 2, eps = 0.001), nrow(people)))

latency <- shown[shown$condition == "funny", "latency:happiness"]
cat(sprintf("latency of happiness: median %.2f s, in %d of %d funny trials\n",
            median(latency, na.rm = TRUE), sum(!is.na(latency)), length(latency)))

# 3. The course from the beginning of each trial, by windows' middles

scored <- windows[windows$status == "ok" & windows$face_found %in% c(TRUE, "True"), ]
scored$middle <- (scored$seen_start + scored$seen_end) / 2
course <- do.call(rbind, lapply(seq_len(nrow(shown)), function(i) {
  trial <- shown[i, ]
  near <- scored[scored$source == trial$source & scored$middle >= trial$start - 0.5 &
                   scored$middle < trial$end + 1, ]
  if (nrow(near) == 0) return(NULL)
  data.frame(participant = trial$participant, condition = trial$condition,
             time = round((near$middle - trial$start) * 4) / 4,
             score = near[["score:happiness"]])
}))
by_person <- aggregate(score ~ time + condition + participant, course, mean)
by_time <- aggregate(score ~ time + condition, by_person, mean)

# 4. The figure

colors <- c(funny = "#D55E00", plain = "#0072B2") # Okabe and Ito
png(figure, width = 1800, height = 800, res = 200)
par(mfrow = c(1, 2), mar = c(4.2, 4.2, 1.5, 1), las = 1, bty = "l")
plot(NULL, xlim = c(-0.5, 3), ylim = c(0, 1), xlab = "Time from the picture (s)",
     ylab = "Happiness (score)")
rect(0, -1, 2, 2, col = "grey93", border = NA)
for (condition in names(colors)) {
  for (person in unique(by_person$participant)) {
    lines(score ~ time, by_person[by_person$condition == condition &
                                    by_person$participant == person, ],
          col = adjustcolor(colors[condition], 0.35))
  }
  lines(score ~ time, by_time[by_time$condition == condition, ], col = colors[condition], lwd = 3)
}
box(bty = "l")

order <- c("plain", "funny")
matplot(t(people[, order]), type = "b", pch = 16, lty = 1, col = "grey60", xaxt = "n",
        xlim = c(0.7, 2.3), ylim = c(-0.1, 1), xlab = "Picture",
        ylab = "Change of happiness from rest")
axis(1, 1:2, order)
abline(h = 0, lty = 3)
means <- colMeans(people[, order])
half <- apply(people[, order], 2, function(x) qt(0.975, length(x) - 1) * sd(x) / sqrt(length(x)))
arrows(1:2, means - half, 1:2, means + half, angle = 90, code = 3, length = 0.06, lwd = 2,
       col = colors[order])
points(1:2, means, pch = 15, cex = 1.3, col = colors[order])
legend("topleft", names(colors), col = colors, lwd = 3, bty = "n")
invisible(dev.off())
cat("wrote", figure, "\n")
